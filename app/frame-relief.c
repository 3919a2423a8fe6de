/* frame-relief.c - memory given back to the system, when it warns that it is short of it. */
#include "frame-cache.h"
#include "slice.h"

#include <malloc.h>

void
app_frame_cache_trim(void)
{
  malloc_trim(0);
}

static gpointer
relieve_in_thread(gpointer level)
{
  app_slice_forget_pictures();
  app_frame_cache_relieve(GPOINTER_TO_UINT(level));
  return NULL;
}

static void
on_low_memory(GMemoryMonitor *monitor, GMemoryMonitorWarningLevel level, gpointer user)
{
  GThread *thread =
      g_thread_try_new("hilum-relief", relieve_in_thread, GUINT_TO_POINTER((guint)level), NULL);

  if (thread) {
    g_thread_unref(thread);
  } else {
    app_frame_cache_relieve((guint)level);
  }
}

void
app_frame_cache_watch(void)
{
  static gsize once = 0;

  if (g_once_init_enter(&once)) {
    GMemoryMonitor *monitor = g_memory_monitor_dup_default(); /* for as long as the program runs */

    g_signal_connect(monitor, "low-memory-warning", G_CALLBACK(on_low_memory), NULL);
    g_once_init_leave(&once, (gsize)monitor);
  }
}
