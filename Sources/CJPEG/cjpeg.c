#include "cjpeg.h"

#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <jpeglib.h>

struct cjpeg_reader {
  struct jpeg_decompress_struct jpeg;
  struct jpeg_error_mgr errors;
  jmp_buf jump;
  char message[CJPEG_MESSAGE_SIZE];
};

static void say(char *message, const char *text) {
  snprintf(message, CJPEG_MESSAGE_SIZE, "%s", text);
}

static cjpeg_reader *reader_of(j_common_ptr jpeg) { return (cjpeg_reader *)jpeg->client_data; }

static void on_error(j_common_ptr jpeg) {
  char text[JMSG_LENGTH_MAX];
  jpeg->err->format_message(jpeg, text);
  say(reader_of(jpeg)->message, text);
  longjmp(reader_of(jpeg)->jump, 1);
}

// Level -1 is a warning: damaged data. Higher levels trace.
static void on_message(j_common_ptr jpeg, int level) {
  if (level < 0) on_error(jpeg);
}

cjpeg_reader *cjpeg_open(const uint8_t *bytes, size_t count, cjpeg_header *header, char *message) {
  cjpeg_reader *reader = calloc(1, sizeof *reader);
  if (!reader) {
    say(message, "out of memory");
    return NULL;
  }
  reader->jpeg.err = jpeg_std_error(&reader->errors);
  reader->errors.error_exit = on_error;
  reader->errors.emit_message = on_message;
  reader->jpeg.client_data = reader;
  if (setjmp(reader->jump)) {
    say(message, reader->message);
    cjpeg_close(reader);
    return NULL;
  }
  jpeg_create_decompress(&reader->jpeg);
  // jpeg_create_decompress keeps the error manager and client_data, and clears all else.
  jpeg_mem_src(&reader->jpeg, bytes, count);
  jpeg_read_header(&reader->jpeg, TRUE);
  header->width = reader->jpeg.image_width;
  header->height = reader->jpeg.image_height;
  switch (reader->jpeg.jpeg_color_space) {
    case JCS_GRAYSCALE: reader->jpeg.out_color_space = JCS_GRAYSCALE; break;
    case JCS_RGB:
    case JCS_YCbCr: reader->jpeg.out_color_space = JCS_RGB; break;
    default:
      say(message, "its colours are neither grey nor RGB, such as CMYK of printing");
      cjpeg_close(reader);
      return NULL;
  }
  header->channels = reader->jpeg.out_color_space == JCS_GRAYSCALE ? 1 : 3;
  return reader;
}

int cjpeg_decode(cjpeg_reader *reader, uint8_t *samples, size_t count, char *message) {
  if (setjmp(reader->jump)) {
    say(message, reader->message);
    return 1;
  }
  struct jpeg_decompress_struct *jpeg = &reader->jpeg;
  jpeg_start_decompress(jpeg);
  size_t row = (size_t)jpeg->output_width * (size_t)jpeg->output_components;
  if (count != row * jpeg->output_height) {
    say(message, "the buffer has another size than the picture");
    return 1;
  }
  while (jpeg->output_scanline < jpeg->output_height) {
    JSAMPROW line = samples + row * jpeg->output_scanline;
    jpeg_read_scanlines(jpeg, &line, 1);
  }
  jpeg_finish_decompress(jpeg);
  return 0;
}

void cjpeg_close(cjpeg_reader *reader) {
  jpeg_destroy_decompress(&reader->jpeg);
  free(reader);
}
