#ifndef CPROCESSOR_H
#define CPROCESSOR_H

/// SIMD16<Float> in Swift.
typedef float paeVector __attribute__((ext_vector_type(16)));
/// SIMD8<Float> in Swift.
typedef float paeHalfVector __attribute__((ext_vector_type(8)));

/// a·b + c, fused where the including code is compiled for it (a fused one would else be computed
/// number by number). Swift's own `addingProduct` is, on vectors, lane by lane for the compiler to put
/// together again, which it does in pieces.
static inline __attribute__((always_inline)) paeVector multiplyAddVectors(
    paeVector a, paeVector b, paeVector c) {
#if defined(__FMA__) || defined(__ARM_FEATURE_FMA)
  return __builtin_elementwise_fma(a, b, c);
#else
  return a * b + c;
#endif
}

/// The same of eight numbers.
static inline __attribute__((always_inline)) paeHalfVector multiplyAddHalfVectors(
    paeHalfVector a, paeHalfVector b, paeHalfVector c) {
#if defined(__FMA__) || defined(__ARM_FEATURE_FMA)
  return __builtin_elementwise_fma(a, b, c);
#else
  return a * b + c;
#endif
}

/// Square roots. Swift's own on vectors goes lane by lane.
static inline __attribute__((always_inline)) paeVector squareRoots(paeVector a) {
  return __builtin_elementwise_sqrt(a);
}

/// Ends the process with status 78 and a line on stderr when the program was compiled for an
/// instruction set that this processor lacks. To be called before anything else, by executables only:
/// the next instruction may be one of those. In C, since Swift code compiled with them has them in the
/// simplest copy.
void requireInstructionSets(const char *program);

#endif
