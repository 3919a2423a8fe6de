/* codec-job.h - a job for a codec, with 16 zero bytes behind the data, as the caller of codecs
 * promises, and a guard behind the picture. */
#ifndef HILUM_TESTS_DICOM_CODEC_JOB_H
#define HILUM_TESTS_DICOM_CODEC_JOB_H

#include "dicom/codec/codec.h"

#include <string.h>

#define JOB_GUARD 32

typedef struct {
  DicomCodecJob job;
  guint8 *data;
} Job;

static inline void
job_clear(Job *j)
{
  g_clear_pointer(&j->data, g_free);
  g_clear_pointer(&j->job.out, g_free);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Job, job_clear)

/* Runs CODEC over a copy of DATA; BITS 1 gives one byte a sample. */
static inline const char *
job_run(Job *j, DicomCodec codec, const guint8 *data, gsize n)
{
  gsize bytes = MAX(j->job.bits_allocated / 8, 1);

  job_clear(j);
  j->data = g_malloc0(n + 16);
  if (n > 0) {
    memcpy(j->data, data, n);
  }
  j->job.data = j->data;
  j->job.n = n;
  j->job.out_bytes = (gsize)j->job.columns * j->job.rows * j->job.samples * bytes;
  j->job.out = g_malloc(j->job.out_bytes + JOB_GUARD);
  memset(j->job.out, 0xa5, j->job.out_bytes + JOB_GUARD);
  if (!j->job.photometric) {
    j->job.photometric = j->job.samples == 3 ? "RGB" : "MONOCHROME2";
  }
  j->job.wrong[0] = '\0';
  const char *wrong = codec(&j->job);
  for (gsize i = 0; i < JOB_GUARD; i++) {
    g_assert_cmpuint(j->job.out[j->job.out_bytes + i], ==, 0xa5);
  }
  return wrong;
}

#endif
