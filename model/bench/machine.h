/* machine.h - loops that keep one core as busy as it can be. Private to model/bench. */
#ifndef HILUM_MODEL_BENCH_MACHINE_H
#define HILUM_MODEL_BENCH_MACHINE_H

#include <stddef.h>
#include <stdint.h>

#include "kernels/kernels.h"

/* A loop of dot products that touches no memory: run(n) does n * operations multiplications and
 * additions (counted apart), independent enough of each other that latencies do not show. */
typedef struct {
  const char *name; /* of the instruction: "vpdpbusd 512" */
  uint64_t operations;
  void (*run)(uint64_t n);
} ModelLoop;

/* The fastest of each kind that this processor can run; FEATURES: model_cpu_features(). */
const ModelLoop *model_loop_int8(uint32_t features);
const ModelLoop *model_loop_bf16(uint32_t features); /* NULL: it has no such instruction */
const ModelLoop *model_loop_f32(uint32_t features);

/* Reads N bytes (a multiple of 256; 64-byte aligned) in order, as fast as the core can, and fetches
 * what lies AHEAD bytes further (0: nothing); the result depends on all of them. */
uint64_t model_stream_read(uint32_t features, const uint8_t *bytes, size_t n, size_t ahead);

/* Seconds in which all threads of POOL read N bytes (as above) in one order, each of them a piece
 * at a time. AHEAD as above. */
#define MODEL_STREAM_AHEAD 8192u /* the distance that helps, where one does */
double model_stream_pass(ModelPool *pool, const uint8_t *bytes, size_t n, size_t ahead);

#endif
