/* timeline.c - what was said in a conversation of the log, and in those that it branches off. */
#include "trust.h"

/* From the conversation back to the one that all began with; ids fall, so there is an end. */
static gboolean
find_parts(StoreLog *log, gint64 conversation, AppTimeline *line, GError **error)
{
  guint n_turns = G_MAXUINT;

  for (gint64 id = conversation; id != 0;) {
    StoreConversation *row = store_log_get(log, id, error);
    const AppTimelinePart part = {id, n_turns};

    if (!row) {
      return FALSE;
    }
    g_array_prepend_val(line->parts, part);
    n_turns = row->rewound_turn;
    id = row->rewound_from < id ? row->rewound_from : 0;
    store_conversation_free(row);
  }
  return TRUE;
}

AppTimeline *
app_timeline_read(StoreLog *log, gint64 conversation, GError **error)
{
  g_autoptr(AppTimeline) line = g_new0(AppTimeline, 1);

  line->parts = g_array_new(FALSE, FALSE, sizeof(AppTimelinePart));
  line->rows = g_ptr_array_new();
  line->lists = g_ptr_array_new_with_free_func((GDestroyNotify)g_ptr_array_unref);
  if (!find_parts(log, conversation, line, error)) {
    return NULL;
  }
  for (guint i = 0; i < line->parts->len; i++) {
    AppTimelinePart *part = &g_array_index(line->parts, AppTimelinePart, i);
    GPtrArray *list = store_log_show(log, part->id, error);

    if (!list) {
      return NULL;
    }
    g_ptr_array_add(line->lists, list);
    part->n_turns = MIN(part->n_turns, list->len);
    for (guint k = 0; k < part->n_turns; k++) {
      g_ptr_array_add(line->rows, list->pdata[k]);
    }
  }
  return g_steal_pointer(&line);
}

void
app_timeline_free(AppTimeline *line)
{
  g_array_unref(line->parts);
  g_ptr_array_unref(line->rows);
  g_ptr_array_unref(line->lists);
  g_free(line);
}
