/* source.h - where the values of a unit lie, packed or expanded for a sweep: then a head, and 8
 * lines for each 32 columns, of which line k, byte 4 row + j holds column 4k + j. For kernels whose
 * functions for each type are made from one body. Private to them. */
#ifndef HILUM_MODEL_SOURCE_H
#define HILUM_MODEL_SOURCE_H

#include "kernels/sweep.h"

/* Each type and number of rows has its own code, all of it inline. Under a sanitizer one body
 * serves them all, or a file would take minutes to compile. */
#if defined(__has_feature)
#if __has_feature(address_sanitizer)
#define HILUM_ONE_BODY
#endif
#elif defined(__SANITIZE_ADDRESS__)
#define HILUM_ONE_BODY
#endif
#ifdef HILUM_ONE_BODY
#define UNROLL
#define BODY static __attribute__((noinline))
#elif defined(__clang__)
#define UNROLL _Pragma("unroll")
#define BODY static inline __attribute__((always_inline))
#else
#define UNROLL _Pragma("GCC unroll 16")
#define BODY static inline __attribute__((always_inline))
#endif
#define LINE 64u

enum {
  Q8_0 = MODEL_TYPE_PACKED_Q8_0,
  Q4_0 = MODEL_TYPE_PACKED_Q4_0,
  Q4_K = MODEL_TYPE_PACKED_Q4_K,
  Q5_K = MODEL_TYPE_PACKED_Q5_K,
  Q6_K = MODEL_TYPE_PACKED_Q6_K
};

typedef struct {
  int type;
  bool expanded;
} Source;

/* Of an expanded unit. */
static inline __attribute__((always_inline)) uint32_t
head_lines(int type)
{
  return type == Q8_0 || type == Q4_0 ? 2 : type == Q6_K ? 16 : 13;
}

/* The lines of block S of 32 columns. */
static inline __attribute__((always_inline)) const uint8_t *
lines_of(Source from, const uint8_t *unit, uint32_t s)
{
  if (from.expanded) {
    return unit + LINE * (head_lines(from.type) + 8 * s);
  }
  switch (from.type) {
  case Q8_0:
    return unit + LINE * (1 + 8 * s);
  case Q4_0:
    return unit + LINE * (1 + 4 * s);
  case Q4_K:
    return unit + LINE * (4 + 4 * s);
  case Q5_K:
    return unit + LINE * (4 + 5 * s);
  default:
    return unit + LINE * (5 + 6 * s);
  }
}

/* A unit, packed or expanded. */
static inline __attribute__((always_inline)) uint32_t
unit_bytes(Source from)
{
  if (from.expanded) {
    return LINE * (head_lines(from.type) + (head_lines(from.type) == 2 ? 16 : 64));
  }
  return LINE * (from.type == Q8_0   ? 17
                 : from.type == Q4_0 ? 9
                 : from.type == Q4_K ? 36
                 : from.type == Q5_K ? 44
                                     : 53);
}

#endif
