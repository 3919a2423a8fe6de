/* wait.h - runs the main loop until something has happened. */
#ifndef HILUM_TESTS_WAIT_H
#define HILUM_TESTS_WAIT_H

#include <glib.h>

/* Runs the main loop until CONDITION holds. The limit is only there to end a hang; no machine that
 * works comes near it. */
#define WAIT_SECONDS 120
#define wait_until(condition)                                                                      \
  G_STMT_START                                                                                     \
  {                                                                                                \
    gint64 wait_end = g_get_monotonic_time() + WAIT_SECONDS * G_USEC_PER_SEC;                      \
    while (!(condition)) {                                                                         \
      if (!g_main_context_iteration(NULL, FALSE)) {                                                \
        g_usleep(1000);                                                                            \
      }                                                                                            \
      if (g_get_monotonic_time() > wait_end) {                                                     \
        g_error("line %d: waited in vain for " #condition, __LINE__);                              \
      }                                                                                            \
    }                                                                                              \
  }                                                                                                \
  G_STMT_END

#endif
