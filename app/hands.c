/* hands.c - see hands.h. */
#include "hands.h"

#define MOST_HANDS 8u

typedef struct {
  StoreWork work;
  gpointer item;
} Task;

static gpointer
do_task(gpointer data)
{
  Task *task = data;

  task->work(task->item);
  return NULL;
}

/* A thread that cannot be had leaves its share to the others: its item is worked at last. */
static void
run(StoreWork work, gpointer *items, guint n, gpointer user)
{
  g_autofree Task *tasks = g_new0(Task, n);
  g_autofree GThread **threads = g_new0(GThread *, n);

  for (guint i = 1; i < n; i++) {
    tasks[i] = (Task){work, items[i]};
    threads[i] = g_thread_try_new("hilum-hand", do_task, &tasks[i], NULL);
  }
  work(items[0]);
  for (guint i = 1; i < n; i++) {
    if (threads[i]) {
      g_thread_join(threads[i]);
    } else {
      work(items[i]);
    }
  }
}

StoreHands
app_hands(void)
{
  return (StoreHands){.n = CLAMP(g_get_num_processors(), 1, MOST_HANDS), .run = run};
}
