// JPEG in memory -> samples in memory, over libjpeg. libjpeg reports errors by a handler that must not
// return; every jump starts and ends inside this file's functions, which return a status and a
// message instead.
#ifndef CJPEG_H
#define CJPEG_H

#include <stddef.h>
#include <stdint.h>

// Bytes that a message buffer must hold; libjpeg's own messages have at most 200.
#define CJPEG_MESSAGE_SIZE 256

typedef struct cjpeg_reader cjpeg_reader;

typedef struct cjpeg_header {
  uint32_t width, height;
  int32_t channels;  // of the decoded samples: 1 grey, 3 RGB
} cjpeg_header;

// Phase 1: reads up to the pixels; takes little memory. `bytes` must live until cjpeg_close.
// NULL: refused, `message` says why.
cjpeg_reader *cjpeg_open(const uint8_t *bytes, size_t count, cjpeg_header *header, char *message);

// Phase 2: decodes into `samples` of height × width × channels bytes (= `count`), row-major, channels
// last. 0 on success. Call once. What libjpeg only warns of (data that end early or are damaged, for
// which it invents pixels) is an error here.
int cjpeg_decode(cjpeg_reader *reader, uint8_t *samples, size_t count, char *message);

void cjpeg_close(cjpeg_reader *reader);

#endif
