/* fuzz.h - what every fuzzing target shares: the entry point that libFuzzer and standalone.c call,
 * and bytes as a file without a disk.
 *
 * A target returns 0 whatever it is given; what it must not do is end by a signal, leak, take more
 * memory or time than the run allows, or break a promise of the API (an assertion). Warnings of
 * GLib count as broken promises. */
#ifndef HILUM_TESTS_FUZZ_H
#define HILUM_TESTS_FUZZ_H

#include <glib.h>
#include <glib/gstdio.h>
#include <stdint.h>
#include <sys/mman.h>
#include <unistd.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

static inline void
fuzz_start(void)
{
  g_log_set_always_fatal(G_LOG_LEVEL_ERROR | G_LOG_LEVEL_CRITICAL | G_LOG_LEVEL_WARNING);
}

/* ---- files ---------------------------------------------------------------------------------- */

static inline void
fuzz_write(int fd, const uint8_t *data, size_t n)
{
  for (size_t at = 0; at < n;) {
    const ssize_t written = write(fd, data + at, n - at);

    g_assert(written > 0);
    at += (size_t)written;
  }
}

/* The bytes as a descriptor that no folder names; close() it. */
static inline int
fuzz_descriptor(const uint8_t *data, size_t n)
{
  const int fd = memfd_create("fuzz", MFD_CLOEXEC);

  g_assert(fd >= 0);
  fuzz_write(fd, data, n);
  return fd;
}

/* A path under which this process can open the descriptor. */
static inline void
fuzz_path(int fd, char path[32])
{
  g_snprintf(path, 32, "/proc/self/fd/%d", fd);
}

/* ---- inputs that say more than one thing -------------------------------------------------------
 * A target whose input is bytes and choices takes the choices off the front. */

typedef struct {
  const uint8_t *data;
  size_t n;
} FuzzInput;

static inline unsigned
fuzz_u8(FuzzInput *input)
{
  if (input->n == 0) {
    return 0;
  }
  input->n--;
  return *input->data++;
}

static inline unsigned
fuzz_u16(FuzzInput *input)
{
  const unsigned low = fuzz_u8(input);

  return low | fuzz_u8(input) << 8;
}

/* ---- promises of the rooms ------------------------------------------------------------------ */

/* A refusal has words, and they are text. */
static inline void
fuzz_check_message(const char *message)
{
  if (!message || !*message || !g_utf8_validate(message, -1, NULL)) {
    g_error("a refusal without words, or not in UTF-8: \"%s\"", message);
  }
}

static inline void
fuzz_check_error(gboolean done, const GError *error)
{
  g_assert(done == !error);
  if (error) {
    fuzz_check_message(error->message);
  }
}

#endif
