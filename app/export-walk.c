/* export-walk.c - what was chosen of the log, conversation after conversation or event after event.
 */
#include <string.h>

#include "export-private.h"
#include "private.h"
#include "trust.h"

gboolean
app_export_is_in_time(AppExport *export, const char *time)
{
  return (!*export->since || strcmp(time, export->since) >= 0) &&
         (!*export->until || strcmp(time, export->until) < 0);
}

static gboolean
is_study(const AppExportOptions *options, const StoreImage *image)
{
  return image->study_instance_uid && g_strv_contains(options->studies, image->study_instance_uid);
}

gboolean
app_export_is_chosen(AppExport *export, const StoreExportTurn *turn)
{
  const AppExportOptions *options = export->options;
  const StoreTurnRow *row = turn->row;
  gboolean found = !options->studies;

  if (!app_export_is_in_time(export, row->time)) {
    return FALSE;
  }
  found = found || (row->turn.image != 0 && is_study(options, &row->image));
  for (gsize i = 0; !found && i < row->turn.n_earlier_images; i++) {
    found = is_study(options, &row->earlier[i]);
  }
  return found;
}

/* ---- conversations ------------------------------------------------------------------------ */

static void
turn_free(gpointer data)
{
  StoreExportTurn *turn = data;

  g_clear_pointer(&turn->verdicts, g_ptr_array_unref);
  g_clear_pointer(&turn->checks, g_ptr_array_unref);
  g_free(turn);
}

static gboolean
read_turn(AppExport *export, const StoreConversation *conversation, const StoreTurnRow *row,
          GPtrArray *real, GError **error)
{
  StoreExportTurn *turn = g_new0(StoreExportTurn, 1);

  turn->conversation = conversation;
  turn->row = row;
  if (!app_export_is_chosen(export, turn)) {
    turn_free(turn);
    return TRUE;
  }
  g_ptr_array_add(real, turn);
  if (row->erased) {
    g_autofree char *what = g_strdup_printf("texts of conversation %" G_GINT64_FORMAT ", turn %u",
                                            conversation->id, row->number);
    app_export_leave_out(export, what, "the patient's key was erased");
  }
  turn->verdicts = store_log_verdicts(export->log, row->id, error);
  turn->checks = turn->verdicts ? store_log_checks(export->log, row->id, error) : NULL;
  return turn->checks != NULL;
}

static gboolean
give_conversation(AppExport *export, gpointer self, const GPtrArray *real, GError **error)
{
  g_autoptr(GPtrArray) masks = g_ptr_array_new_with_free_func((GDestroyNotify)store_masked_free);
  g_autoptr(GPtrArray) turns = g_ptr_array_new();

  for (guint i = 0; i < real->len; i++) {
    StoreMasked *masked = store_mask_turn(&export->mask, real->pdata[i]);
    g_ptr_array_add(masks, masked);
    g_ptr_array_add(turns, (gpointer)store_masked_turn(masked));
  }
  const AppExportConversation conversation = {
      ((const StoreExportTurn *)turns->pdata[0])->conversation, turns, real};
  export->n_conversations++;
  export->n_turns += turns->len;
  return export->format->conversation(self, &conversation, error);
}

G_DEFINE_AUTOPTR_CLEANUP_FUNC(StoreConversation, store_conversation_free)

static gboolean
walk_conversation(AppExport *export, gpointer self, gint64 id, GError **error)
{
  g_autoptr(StoreConversation) conversation = store_log_get(export->log, id, error);
  g_autoptr(GPtrArray) rows = conversation ? store_log_show(export->log, id, error) : NULL;
  g_autoptr(GPtrArray) real = g_ptr_array_new_with_free_func(turn_free);

  if (!rows) {
    return FALSE;
  }
  for (guint i = 0; i < rows->len; i++) {
    if (!read_turn(export, conversation, rows->pdata[i], real, error)) {
      return FALSE;
    }
  }
  return real->len == 0 || give_conversation(export, self, real, error);
}

/* By number, so that memory does not grow with the log. */
static gboolean
walk_all(AppExport *export, gpointer self, GError **error)
{
  g_autoptr(GPtrArray) newest = store_log_list(export->log, 1, error);
  const gint64 last =
      newest && newest->len > 0 ? ((const StoreConversation *)newest->pdata[0])->id : 0;

  for (gint64 id = 1; id <= last; id++) {
    g_autoptr(GError) problem = NULL;

    if (export->progress && !export->progress((guint64)id, (guint64)last, export->user)) {
      g_set_error_literal(error, APP_ERROR, APP_ERROR_CANCELLED, "cancelled; nothing was exported");
      return FALSE;
    }
    if (!walk_conversation(export, self, id, &problem) &&
        !g_error_matches(problem, STORE_ERROR, STORE_ERROR_NOT_FOUND)) {
      g_propagate_error(error, g_steal_pointer(&problem));
      return FALSE;
    }
  }
  return newest != NULL;
}

static gboolean
walk_named(AppExport *export, gpointer self, GError **error)
{
  for (gsize i = 0; i < export->options->n_conversations; i++) {
    if (!walk_conversation(export, self, export->options->conversations[i], error) ||
        app_export_cancelled(export, error)) {
      return FALSE;
    }
  }
  return TRUE;
}

/* ---- events ------------------------------------------------------------------------------- */

typedef struct {
  AppExport *export;
  gpointer self;
} Walk;

static gboolean
give_event(const StoreAudit *audit, gpointer user, GError **error)
{
  Walk *walk = user;

  walk->export->n_events++;
  return walk->export->format->event(walk->self, audit, error);
}

gboolean
app_export_walk(AppExport *export, gpointer self, GError **error)
{
  Walk walk = {export, self};

  if (export->format->conversation &&
      !(export->options->n_conversations > 0 ? walk_named(export, self, error)
                                             : walk_all(export, self, error))) {
    return FALSE;
  }
  return !export->format->event ||
         app_export_each_audit(export->log, &export->mask, export, 1, give_event, &walk, error);
}
