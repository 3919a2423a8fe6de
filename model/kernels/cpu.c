/* cpu.c - what this processor can do.
 *
 * x86: CPUID and XGETBV by hand, since compilers do not agree on the names that
 * __builtin_cpu_supports() takes. AArch64: what the kernel says in the auxiliary vector. */
#include "kernels/cpu.h"

#if defined(__x86_64__)
#include <cpuid.h>
#elif defined(__aarch64__)
#include <sys/auxv.h>
#endif

#if defined(__x86_64__)
#define BIT(word, bit) ((word) >> (bit)&1u)

/* Intel SDM vol. 1, 13.3 and 14.3: the instructions are there, and XCR0 says that the system saves
 * the registers (bits 1, 2: XMM and YMM; 5 to 7: mask registers and ZMM). */
uint32_t
model_cpu_features(void)
{
  uint32_t a, b, c, d, a1 = 0, c1, xcr0, ignored, found = 0;

  if (!__get_cpuid(1, &a, &b, &c, &d) || !BIT(c, 27)) {
    return 0;
  }
  __asm__ volatile("xgetbv" : "=a"(xcr0), "=d"(ignored) : "c"(0));
  if ((xcr0 & 0x06) != 0x06 || !BIT(c, 28) || !BIT(c, 12) || !BIT(c, 29) ||
      !__get_cpuid_count(7, 0, &a, &b, &c1, &d) || !BIT(b, 5)) {
    return 0;
  }
  found = MODEL_CPU_AVX2;
  if (a >= 1) {
    uint32_t b1, d1, ignored_c;
    __get_cpuid_count(7, 1, &a1, &b1, &ignored_c, &d1);
  }
  if (BIT(a1, 4)) {
    found |= MODEL_CPU_AVX_VNNI;
  }
  if ((xcr0 & 0xE6) == 0xE6 && BIT(b, 16) && BIT(b, 17) && BIT(b, 30) && BIT(b, 31)) {
    found |= MODEL_CPU_AVX512;
    found |= BIT(c1, 11) ? MODEL_CPU_AVX512_VNNI : 0;
    found |= BIT(a1, 5) ? MODEL_CPU_AVX512_BF16 : 0;
  }
  return found;
}

#elif defined(__aarch64__)

uint32_t
model_cpu_features(void)
{
  return getauxval(AT_HWCAP) & HWCAP_ASIMDDP ? MODEL_CPU_DOTPROD : 0;
}

#else

uint32_t
model_cpu_features(void)
{
  return 0;
}

#endif
