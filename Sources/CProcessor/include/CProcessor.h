#ifndef CPROCESSOR_H
#define CPROCESSOR_H

#include <stdbool.h>

/// Whether the code that includes this header is compiled with fused multiply-add instructions.
/// Inlined as a constant, so each importer sees its own compiler flags.
static inline bool compiledWithFusedMultiplyAdd(void) {
#if defined(__FMA__) || defined(__ARM_FEATURE_FMA)
  return true;
#else
  return false;
#endif
}

/// Ends the process with status 78 and a line on stderr when the program was compiled for an
/// instruction set that this processor lacks. To be called before anything else, by executables only:
/// the next instruction may be one of those. In C, since Swift code compiled with them has them in the
/// simplest copy.
void requireInstructionSets(const char *program);

#endif
