#include "CProcessor.h"

#include <stdio.h>
#include <stdlib.h>

// One line for each instruction set that `-march=native` may bring into the program and that
// `__builtin_cpu_supports` knows. Nothing here for other architectures: there the plain build and
// the machine's own agree on what the processor must have.
static const char *missingInstructionSet(void) {
#if defined(__x86_64__)
  __builtin_cpu_init();
#define REQUIRE(name) \
  if (!__builtin_cpu_supports(name)) return name;
#ifdef __SSE3__
  REQUIRE("sse3")
#endif
#ifdef __SSSE3__
  REQUIRE("ssse3")
#endif
#ifdef __SSE4_1__
  REQUIRE("sse4.1")
#endif
#ifdef __SSE4_2__
  REQUIRE("sse4.2")
#endif
#ifdef __POPCNT__
  REQUIRE("popcnt")
#endif
#ifdef __AVX__
  REQUIRE("avx")
#endif
#ifdef __BMI__
  REQUIRE("bmi")
#endif
#ifdef __BMI2__
  REQUIRE("bmi2")
#endif
#ifdef __FMA__
  REQUIRE("fma")
#endif
#ifdef __AVX2__
  REQUIRE("avx2")
#endif
#ifdef __AVX512F__
  REQUIRE("avx512f")
#endif
#ifdef __AVX512CD__
  REQUIRE("avx512cd")
#endif
#ifdef __AVX512DQ__
  REQUIRE("avx512dq")
#endif
#ifdef __AVX512BW__
  REQUIRE("avx512bw")
#endif
#ifdef __AVX512VL__
  REQUIRE("avx512vl")
#endif
#ifdef __AVX512IFMA__
  REQUIRE("avx512ifma")
#endif
#ifdef __AVX512VBMI__
  REQUIRE("avx512vbmi")
#endif
#ifdef __AVX512VBMI2__
  REQUIRE("avx512vbmi2")
#endif
#ifdef __AVX512VNNI__
  REQUIRE("avx512vnni")
#endif
#ifdef __AVX512BITALG__
  REQUIRE("avx512bitalg")
#endif
#ifdef __AVX512VPOPCNTDQ__
  REQUIRE("avx512vpopcntdq")
#endif
#ifdef __AVX512BF16__
  REQUIRE("avx512bf16")
#endif
#undef REQUIRE
#endif
  return NULL;
}

void requireInstructionSets(const char *program) {
  const char *missing = missingInstructionSet();
  if (missing == NULL) return;
  fprintf(
      stderr,
      "%s: this program was built for a processor with %s, which this one lacks; build it here with "
      "make install, or for any processor with swift build -c release\n",
      program, missing);
  exit(78);
}
