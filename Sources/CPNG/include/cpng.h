// PNG in memory <-> samples in memory, over libpng. libpng reports errors by longjmp; every jump
// starts and ends inside this file's functions, which return a status and a message instead.
#ifndef CPNG_H
#define CPNG_H

#include <stddef.h>
#include <stdint.h>

// Bytes that a message buffer must hold.
#define CPNG_MESSAGE_SIZE 256

// What the chunks before the pixels say. Samples come out with palettes turned to RGB, grey of
// less than 8 bits scaled to 8, tRNS turned to alpha; 16 bits stay 16; gamma is never applied.
typedef struct cpng_header {
  uint32_t width, height;
  int32_t color_type;       // as in the file: 0 grey, 2 RGB, 3 palette, 4 grey+alpha, 6 RGBA
  int32_t file_bit_depth;   // as in the file: 1, 2, 4, 8, 16
  int32_t channels;         // of the decoded samples: 1 grey, 2 grey+alpha, 3 RGB, 4 RGBA
  int32_t bit_depth;        // of the decoded samples: 8, or 16 in the byte order of the machine
  int32_t palette_is_grey;  // colour type 3 and all its entries have R = G = B
  int32_t has_srgb;         // an sRGB chunk is there
  int32_t gamma;            // the gAMA chunk's value × 100 000, or 0 when there is none
} cpng_header;

typedef struct cpng_reader cpng_reader;

// Phase 1: checks the chunk lengths against `count` and reads up to the pixels; takes little
// memory. `bytes` must live until cpng_close. NULL: refused, `message` says why.
cpng_reader *cpng_open(const uint8_t *bytes, size_t count, uint32_t max_side,
                       cpng_header *header, char *message);

// Phase 2: decodes into `samples` of height × width × channels × bit_depth/8 bytes (= `count`),
// row-major, channels last. 0 on success. Call once.
int cpng_decode(cpng_reader *reader, uint8_t *samples, size_t count, char *message);

// Text chunks (tEXt, zTXt, iTXt), complete after cpng_decode; the strings live until cpng_close.
int cpng_text_count(const cpng_reader *reader);
const char *cpng_text_keyword(const cpng_reader *reader, int index);
const char *cpng_text_value(const cpng_reader *reader, int index);

void cpng_close(cpng_reader *reader);

// Encodes samples as above (channels 1–4, bit_depth 8 or 16) with `text_count` tEXt chunks.
// Returns 0 and a block in *bytes, *count that cpng_free frees.
int cpng_encode(const uint8_t *samples, uint32_t width, uint32_t height, int32_t channels,
                int32_t bit_depth, const char *const *keywords, const char *const *values,
                int32_t text_count, uint8_t **bytes, size_t *count, char *message);

void cpng_free(uint8_t *bytes);

#endif
