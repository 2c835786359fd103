// Compresses text with a library that nobody here wrote, expands it again, and compares.
//
//     compress zstd|bzip2|lzma LEVEL KILOBYTES
#include <bzlib.h>
#include <lzma.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <zstd.h>

static void fail(const char* what) {
  fprintf(stderr, "compress: %s\n", what);
  exit(1);
}

// Words that compress about as well as prose, the same in each run.
static void write_text(char* text, size_t size) {
  uint64_t state = 1;
  for (size_t at = 0; at < size;) {
    state = state * 6364136223846793005u + 1442695040888963407u;
    uint64_t word = (state >> 33) % 400 * 0x9e3779b97f4a7c15u;
    for (unsigned letters = 2 + (word >> 60); letters > 0 && at < size; --letters) {
      text[at++] = "etaoinshrdlucmfw"[word % 16];
      word /= 16;
    }
    if (at < size) text[at++] = ' ';
  }
}

// Each takes `size` bytes at `from` and has `room` bytes at `to`; returns how many it wrote.
typedef size_t Step(char* to, size_t room, const char* from, size_t size, int level);

static size_t zstd_pack(char* to, size_t room, const char* from, size_t size, int level) {
  const size_t packed = ZSTD_compress(to, room, from, size, level);
  if (ZSTD_isError(packed)) fail(ZSTD_getErrorName(packed));
  return packed;
}
static size_t zstd_unpack(char* to, size_t room, const char* from, size_t size, int level) {
  (void)level;
  const size_t unpacked = ZSTD_decompress(to, room, from, size);
  if (ZSTD_isError(unpacked)) fail(ZSTD_getErrorName(unpacked));
  return unpacked;
}

static size_t bzip2_pack(char* to, size_t room, const char* from, size_t size, int level) {
  unsigned packed = (unsigned)room;
  if (BZ2_bzBuffToBuffCompress(to, &packed, (char*)from, (unsigned)size, level, 0, 0) != BZ_OK)
    fail("bzip2 cannot compress");
  return packed;
}
static size_t bzip2_unpack(char* to, size_t room, const char* from, size_t size, int level) {
  (void)level;
  unsigned unpacked = (unsigned)room;
  if (BZ2_bzBuffToBuffDecompress(to, &unpacked, (char*)from, (unsigned)size, 0, 0) != BZ_OK)
    fail("bzip2 cannot expand");
  return unpacked;
}

static size_t lzma_pack(char* to, size_t room, const char* from, size_t size, int level) {
  size_t packed = 0;
  if (lzma_easy_buffer_encode((uint32_t)level, LZMA_CHECK_CRC64, NULL, (const uint8_t*)from, size,
                              (uint8_t*)to, &packed, room) != LZMA_OK)
    fail("lzma cannot compress");
  return packed;
}
static size_t lzma_unpack(char* to, size_t room, const char* from, size_t size, int level) {
  (void)level;
  uint64_t memory = UINT64_MAX;
  size_t read = 0, unpacked = 0;
  if (lzma_stream_buffer_decode(&memory, 0, NULL, (const uint8_t*)from, &read, size, (uint8_t*)to,
                                &unpacked, room) != LZMA_OK)
    fail("lzma cannot expand");
  return unpacked;
}

static const struct Library {
  const char* name;
  Step *pack, *unpack;
} libraries[] = {{"zstd", zstd_pack, zstd_unpack},
                 {"bzip2", bzip2_pack, bzip2_unpack},
                 {"lzma", lzma_pack, lzma_unpack}};

static const struct Library* library(const char* name) {
  for (size_t i = 0; i < sizeof libraries / sizeof *libraries; ++i) {
    if (strcmp(libraries[i].name, name) == 0) return &libraries[i];
  }
  fail("no such library: zstd, bzip2 or lzma");
  return NULL;
}

int main(int argc, char** argv) {
  if (argc != 4) fail("usage: compress zstd|bzip2|lzma LEVEL KILOBYTES");
  const struct Library* const with = library(argv[1]);
  const int level = atoi(argv[2]);
  const size_t size = (size_t)atoi(argv[3]) * 1024, room = size + size / 8 + 4096;
  char *const text = malloc(size), *const packed = malloc(room), *const unpacked = malloc(size);
  if (size == 0 || !text || !packed || !unpacked) fail("no memory for that size");
  write_text(text, size);
  const size_t packed_size = with->pack(packed, room, text, size, level);
  const size_t unpacked_size = with->unpack(unpacked, size, packed, packed_size, level);
  if (unpacked_size != size || memcmp(text, unpacked, size) != 0) fail("expands to something else");
  printf("%s %d: %zu bytes become %zu\n", with->name, level, size, packed_size);
  return 0;
}
