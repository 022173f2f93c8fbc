#include "cpng.h"

#include <png.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct cpng_reader {
  png_structp png;
  png_infop info;
  const uint8_t *bytes;
  size_t count, position;
  png_bytepp rows;
  png_textp texts;
  int text_count;
  char message[CPNG_MESSAGE_SIZE];
};

typedef struct writer {
  png_structp png;
  png_infop info;
  uint8_t *bytes;
  size_t count, capacity;
  png_bytepp rows;
  png_textp texts;
  char message[CPNG_MESSAGE_SIZE];
} writer;

static void say(char *message, const char *text) {
  snprintf(message, CPNG_MESSAGE_SIZE, "%s", text);
}

// The error pointer of both structs is their `message`.
static void on_error(png_structp png, png_const_charp text) {
  say((char *)png_get_error_ptr(png), text);
  longjmp(png_jmpbuf(png), 1);
}

static void on_warning(png_structp png, png_const_charp text) {
  (void)png;
  (void)text;
}

static void on_read(png_structp png, png_bytep out, size_t length) {
  cpng_reader *reader = (cpng_reader *)png_get_io_ptr(png);
  if (length > reader->count - reader->position) png_error(png, "the file ends early");
  memcpy(out, reader->bytes + reader->position, length);
  reader->position += length;
}

static void on_write(png_structp png, png_bytep data, size_t length) {
  writer *w = (writer *)png_get_io_ptr(png);
  if (length > w->capacity - w->count) {
    size_t capacity = 2 * w->capacity + length + 4096;
    uint8_t *bytes = realloc(w->bytes, capacity);
    if (!bytes) png_error(png, "out of memory");
    w->bytes = bytes;
    w->capacity = capacity;
  }
  memcpy(w->bytes + w->count, data, length);
  w->count += length;
}

static void on_flush(png_structp png) { (void)png; }

static uint32_t big_endian(const uint8_t *p) {
  return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];
}

// Walks the chunk lengths from the signature to IEND, so that a truncated file is refused at once.
// Returns NULL when they fit, else what is wrong.
static const char *check_chunks(const uint8_t *bytes, size_t count) {
  static const uint8_t signature[8] = {137, 80, 78, 71, 13, 10, 26, 10};
  size_t compared = count < 8 ? count : 8;
  if (count == 0) return "the file is empty";
  if (memcmp(bytes, signature, compared) != 0) return "not a PNG file";
  for (size_t at = 8;;) {
    if (count < 12 || at > count - 12) return "the file ends early";
    uint32_t length = big_endian(bytes + at);
    if (length > count - 12 - at) return "the file ends early";
    if (memcmp(bytes + at + 4, "IEND", 4) == 0) return NULL;
    at += 12 + (size_t)length;
  }
}

static int is_grey(png_colorp palette, int count) {
  for (int i = 0; i < count; i++)
    if (palette[i].red != palette[i].green || palette[i].red != palette[i].blue) return 0;
  return 1;
}

cpng_reader *cpng_open(const uint8_t *bytes, size_t count, uint32_t max_side,
                       cpng_header *header, char *message) {
  const char *problem = check_chunks(bytes, count);
  if (problem) {
    say(message, problem);
    return NULL;
  }
  cpng_reader *reader = calloc(1, sizeof *reader);
  if (!reader) {
    say(message, "out of memory");
    return NULL;
  }
  reader->bytes = bytes;
  reader->count = count;
  reader->png =
      png_create_read_struct(PNG_LIBPNG_VER_STRING, reader->message, on_error, on_warning);
  reader->info = reader->png ? png_create_info_struct(reader->png) : NULL;
  if (!reader->info) {
    say(message, "libpng does not start");
    cpng_close(reader);
    return NULL;
  }
  if (setjmp(png_jmpbuf(reader->png))) {
    say(message, reader->message);
    cpng_close(reader);
    return NULL;
  }
  png_structp png = reader->png;
  png_infop info = reader->info;
  png_set_read_fn(png, reader, on_read);
  png_set_crc_action(png, PNG_CRC_ERROR_QUIT, PNG_CRC_ERROR_QUIT);
  png_set_user_limits(png, max_side, max_side);
  png_set_chunk_cache_max(png, 256);
  png_set_chunk_malloc_max(png, 4u << 20);
  png_read_info(png, info);

  header->width = png_get_image_width(png, info);
  header->height = png_get_image_height(png, info);
  header->color_type = png_get_color_type(png, info);
  header->file_bit_depth = png_get_bit_depth(png, info);
  header->has_srgb = png_get_valid(png, info, PNG_INFO_sRGB) != 0;
  png_fixed_point gamma = 0;
  header->gamma = png_get_gAMA_fixed(png, info, &gamma) ? gamma : 0;
  png_colorp palette = NULL;
  int entries = 0;
  header->palette_is_grey = header->color_type == PNG_COLOR_TYPE_PALETTE &&
                            png_get_PLTE(png, info, &palette, &entries) &&
                            is_grey(palette, entries);

  png_set_expand(png);  // palette to RGB, grey of 1, 2, 4 bits to 8, tRNS to alpha
  const uint16_t one = 1;
  if (header->file_bit_depth == 16 && *(const uint8_t *)&one) png_set_swap(png);
  png_set_interlace_handling(png);
  png_read_update_info(png, info);
  header->channels = png_get_channels(png, info);
  header->bit_depth = png_get_bit_depth(png, info);
  return reader;
}

int cpng_decode(cpng_reader *reader, uint8_t *samples, size_t count, char *message) {
  if (setjmp(png_jmpbuf(reader->png))) {
    say(message, reader->message);
    return 1;
  }
  png_structp png = reader->png;
  size_t row = png_get_rowbytes(png, reader->info);
  size_t height = png_get_image_height(png, reader->info);
  if (count != row * height) png_error(png, "the buffer has another size than the picture");
  reader->rows = malloc(height * sizeof *reader->rows);
  if (!reader->rows) png_error(png, "out of memory");
  for (size_t y = 0; y < height; y++) reader->rows[y] = samples + y * row;
  png_read_image(png, reader->rows);
  png_read_end(png, reader->info);
  reader->text_count = png_get_text(png, reader->info, &reader->texts, NULL);
  return 0;
}

int cpng_text_count(const cpng_reader *reader) { return reader->text_count; }

const char *cpng_text_keyword(const cpng_reader *reader, int index) {
  return reader->texts[index].key;
}

const char *cpng_text_value(const cpng_reader *reader, int index) {
  return reader->texts[index].text ? reader->texts[index].text : "";
}

void cpng_close(cpng_reader *reader) {
  if (reader->png) png_destroy_read_struct(&reader->png, &reader->info, NULL);
  free(reader->rows);
  free(reader);
}

static void close_writer(writer *w) {
  if (w->png) png_destroy_write_struct(&w->png, &w->info);
  free(w->rows);
  free(w->texts);
  free(w->bytes);
  free(w);
}

int cpng_encode(const uint8_t *samples, uint32_t width, uint32_t height, int32_t channels,
                int32_t bit_depth, const char *const *keywords, const char *const *values,
                int32_t text_count, uint8_t **bytes, size_t *count, char *message) {
  static const int types[5] = {0, PNG_COLOR_TYPE_GRAY, PNG_COLOR_TYPE_GRAY_ALPHA,
                               PNG_COLOR_TYPE_RGB, PNG_COLOR_TYPE_RGB_ALPHA};
  writer *w = calloc(1, sizeof *w);
  if (!w) {
    say(message, "out of memory");
    return 1;
  }
  w->png = png_create_write_struct(PNG_LIBPNG_VER_STRING, w->message, on_error, on_warning);
  w->info = w->png ? png_create_info_struct(w->png) : NULL;
  if (!w->info) {
    say(message, "libpng does not start");
    close_writer(w);
    return 1;
  }
  if (setjmp(png_jmpbuf(w->png))) {
    say(message, w->message);
    close_writer(w);
    return 1;
  }
  png_structp png = w->png;
  png_set_write_fn(png, w, on_write, on_flush);
  png_set_IHDR(png, w->info, width, height, bit_depth, types[channels], PNG_INTERLACE_NONE,
               PNG_COMPRESSION_TYPE_DEFAULT, PNG_FILTER_TYPE_DEFAULT);
  if (text_count > 0) {
    w->texts = calloc((size_t)text_count, sizeof *w->texts);
    if (!w->texts) png_error(png, "out of memory");
    for (int i = 0; i < text_count; i++) {
      w->texts[i].compression = PNG_TEXT_COMPRESSION_NONE;
      w->texts[i].key = (png_charp)keywords[i];
      w->texts[i].text = (png_charp)values[i];
      w->texts[i].text_length = strlen(values[i]);
    }
    png_set_text(png, w->info, w->texts, text_count);
  }
  png_write_info(png, w->info);
  const uint16_t one = 1;
  if (bit_depth == 16 && *(const uint8_t *)&one) png_set_swap(png);
  size_t row = (size_t)width * (size_t)channels * (size_t)bit_depth / 8;
  w->rows = malloc(height * sizeof *w->rows);
  if (!w->rows) png_error(png, "out of memory");
  for (size_t y = 0; y < height; y++) w->rows[y] = (png_bytep)(samples + y * row);
  png_write_image(png, w->rows);
  png_write_end(png, w->info);
  *bytes = w->bytes;
  *count = w->count;
  w->bytes = NULL;
  close_writer(w);
  return 0;
}

void cpng_free(uint8_t *bytes) { free(bytes); }
