/* relay.c - see relay.h. */
#include "relay.h"

#define TELL_US 100000

typedef struct {
  AppRelay *relay;
  GTask *task; /* keeps the relay */
  guint64 done, total;
} Step;

void
app_relay_init(AppRelay *relay, AppProgress progress, gpointer user, GCancellable *cancellable)
{
  *relay = (AppRelay){.progress = progress,
                      .user = user,
                      .context = g_main_context_ref_thread_default(),
                      .cancellable = cancellable ? g_object_ref(cancellable) : g_cancellable_new()};
}

void
app_relay_clear(AppRelay *relay)
{
  g_clear_pointer(&relay->context, g_main_context_unref);
  g_clear_object(&relay->cancellable);
}

static void
step_free(gpointer data)
{
  Step *step = data;

  g_object_unref(step->task);
  g_free(step);
}

static gboolean
tell(gpointer data)
{
  const Step *step = data;
  const AppRelay *relay = step->relay;

  /* What comes behind the end of the work is told to nobody. */
  if (!g_task_get_completed(step->task) && !relay->progress(step->done, step->total, relay->user)) {
    g_cancellable_cancel(relay->cancellable);
  }
  return G_SOURCE_REMOVE;
}

gboolean
app_relay_progress(AppRelay *relay, GTask *task, guint64 done, guint64 total)
{
  const gint64 now = g_get_monotonic_time();

  if (relay->progress && total > 0 && now - relay->told > TELL_US) {
    Step *step = g_new0(Step, 1);
    relay->told = now;
    *step = (Step){relay, g_object_ref(task), done, total};
    g_main_context_invoke_full(relay->context, G_PRIORITY_DEFAULT, tell, step, step_free);
  }
  return !g_cancellable_is_cancelled(relay->cancellable);
}
