/* record-event.c - an event of the log in words. */
#include <string.h>

#include <glib/gi18n.h>

#include "record-event.h"

/* Characters of a value, and of a summary. */
#define MOST_VALUE 2000
#define MOST_SUMMARY 160

static const struct {
  const char *kind, *action; /* ACTION NULL: any other */
  const char *title;
} titles[] = {
    {"log", NULL, N_("Log begun")},
    {"application", "start", N_("Program started")},
    {"application", "stop", N_("Program ended")},
    {"application", "not-kept", N_("Events not kept")},
    {"application", NULL, N_("Program")},
    {"import", "open", N_("Study opened")},
    {"import", NULL, N_("Taken in from elsewhere")},
    {"shown", NULL, N_("Image shown")},
    {"image", NULL, N_("Image asked about")},
    {"loaded", NULL, N_("Model loaded")},
    {"model", NULL, N_("Model")},
    {"conversation", NULL, N_("Conversation begun")},
    {"turn", NULL, N_("Question and answer")},
    {"verdict", NULL, N_("Verdict")},
    {"check", NULL, N_("Check of an answer")},
    {"export", NULL, N_("Export")},
    {"viewed", "conversation", N_("Conversation looked at")},
    {"viewed", "search", N_("Conversations searched")},
    {"viewed", "list", N_("Conversations listed")},
    {"viewed", NULL, N_("Log looked at")},
    {"setting", NULL, N_("Setting changed")},
    {"refused", NULL, N_("File refused")},
    {"verification", "links", N_("Earlier logs verified")},
    {"verification", NULL, N_("Log verified")},
    {"consent", NULL, N_("Consent")},
    {"erased", "log", N_("Sealed log removed")},
    {"erased", NULL, N_("Patient erased")},
    {"session", "in", N_("Person signed in")},
    {"session", "out", N_("Person signed out")},
    {"session", "refused", N_("PIN refused")},
    {"session", "enrolled", N_("Person enrolled")},
    {"session", "removed", N_("Person removed")},
    {"session", "pin-changed", N_("PIN changed")},
    {"session", "required", N_("Verdicts need a PIN")},
    {"session", "optional", N_("Verdicts need no PIN")},
    {"session", NULL, N_("Person signed in or out")},
    {"migrated", NULL, N_("Log brought up to date")},
    {"sealed", NULL, N_("Log file sealed")},
    {"continued", NULL, N_("Log continued")},
};

const char *
app_event_title(const char *kind, const char *action)
{
  if (!*kind) {
    return _("Changed or removed");
  }
  for (guint i = 0; i < G_N_ELEMENTS(titles); i++) {
    if (strcmp(titles[i].kind, kind) == 0 &&
        (!titles[i].action || g_strcmp0(titles[i].action, action) == 0)) {
      return _(titles[i].title);
    }
  }
  return kind;
}

const char *
app_event_kind(guint index)
{
  const char *before = "";

  for (guint i = 0; i < G_N_ELEMENTS(titles); i++) {
    if (strcmp(titles[i].kind, before) != 0) {
      before = titles[i].kind;
      if (index-- == 0) {
        return before;
      }
    }
  }
  return NULL;
}

void
app_event_free(AppEvent *event)
{
  if (event) {
    g_free(event->time);
    g_free(event->kind);
    g_free(event->action);
    g_free(event->who);
    g_free(event->summary);
    g_free(event->facts);
    g_clear_pointer(&event->fields, g_ptr_array_unref);
    g_free(event->sha256);
    g_free(event);
  }
}

/* ---- its facts ----------------------------------------------------------------------------- */

static char *
shorten(const char *text, glong most)
{
  g_autofree char *valid = g_utf8_make_valid(text, -1);

  if (g_utf8_strlen(valid, -1) <= most) {
    return g_steal_pointer(&valid);
  }
  g_autofree char *cut = g_utf8_substring(valid, 0, most);
  return g_strconcat(cut, "…", NULL);
}

static char *
value_text(JsonNode *node)
{
  g_autofree char *json = NULL;

  if (JSON_NODE_HOLDS_VALUE(node) && json_node_get_value_type(node) == G_TYPE_STRING) {
    return shorten(json_node_get_string(node), MOST_VALUE);
  }
  json = app_json_text(node);
  return shorten(g_strchomp(json), MOST_VALUE);
}

static JsonObject *
object_of(const char *json)
{
  return json ? app_json_object_read(json, strlen(json), NULL) : NULL;
}

/* The members of an event that the log itself knows nothing of. */
static JsonObject *
fields_of(JsonObject *object)
{
  JsonNode *node = object ? json_object_get_member(object, "fields") : NULL;

  return node && JSON_NODE_HOLDS_OBJECT(node) ? json_node_get_object(node) : NULL;
}

static void
add_members(AppEvent *event, GString *facts, JsonObject *object)
{
  g_autoptr(GList) names = object ? json_object_get_members(object) : NULL;

  for (GList *at = names; at; at = at->next) {
    JsonNode *node = json_object_get_member(object, at->data);

    if (!JSON_NODE_HOLDS_NULL(node) && strcmp(at->data, "fields") != 0) {
      char *value = value_text(node);

      g_string_append_printf(facts, "%s: %s\n", (const char *)at->data, value);
      g_ptr_array_add(event->fields, g_strdup(at->data));
      g_ptr_array_add(event->fields, value);
    }
  }
}

static void
add_facts(AppEvent *event, GString *facts, const char *json)
{
  g_autoptr(JsonObject) object = object_of(json);

  add_members(event, facts, fields_of(object));
  add_members(event, facts, object);
}

/* The first of NAMES that one of OBJECTS has, in one line. */
static char *
first_of(JsonObject *const objects[4], const char *const *names)
{
  for (; *names; names++) {
    for (guint i = 0; i < 4; i++) {
      const char *text = objects[i] ? app_json_get_text(objects[i], *names) : NULL;

      if (text && *text) {
        g_autofree char *line = g_strdelimit(g_strdup(text), "\r\n\t", ' ');
        return shorten(line, MOST_SUMMARY);
      }
    }
  }
  return g_strdup("");
}

static char *
summary_of(const StoreEventRow *row)
{
  /* What says most of an event, of any kind, before what says less. */
  static const char *const names[] = {
      "question", "verdict", "study_description", "name", "format", "place",
      "key",      "reason",  "modality",          "path", NULL};
  g_autoptr(JsonObject) clear = object_of(row->body), sealed = object_of(row->text);
  JsonObject *const objects[] = {sealed, fields_of(sealed), clear, fields_of(clear)};

  return row->erased ? g_strdup(_("Erased")) : first_of(objects, names);
}

static char *
who_of(const StoreEventRow *row)
{
  const char *user = row->real_name && *row->real_name ? row->real_name : row->user_name;

  if (row->person && *row->person) {
    return user ? g_strdup_printf("%s (%s)", row->person, user) : g_strdup(row->person);
  }
  return g_strdup(user ? user : "");
}

AppEvent *
app_event_new(const StoreEventRow *row)
{
  AppEvent *event = g_new0(AppEvent, 1);
  GString *facts = g_string_new(NULL);

  event->fields = g_ptr_array_new_with_free_func(g_free);
  if (g_strcmp0(row->kind, "session") != 0) { /* what a PIN is held against is nobody's to see */
    add_facts(event, facts, row->text);
  }
  add_facts(event, facts, row->body);
  event->number = row->number;
  event->time = g_strdup(row->time ? row->time : "");
  event->kind = g_strdup(row->kind ? row->kind : "");
  event->action = g_strdup(row->action ? row->action : "");
  event->who = who_of(row);
  event->summary = summary_of(row);
  event->facts = g_strchomp(g_string_free(facts, FALSE));
  event->sha256 = g_strdup(row->sha256 ? row->sha256 : "");
  event->failed = row->failed;
  event->erased = row->erased;
  event->conversation = row->conversation;
  return event;
}

AppEvent *
app_event_new_broken(gint64 number, const char *why)
{
  AppEvent *event = g_new0(AppEvent, 1);

  event->number = number;
  event->time = g_strdup("");
  event->kind = g_strdup("");
  event->action = g_strdup("");
  event->who = g_strdup("");
  event->summary = g_strdup(why);
  event->facts = g_strdup(why);
  event->fields = g_ptr_array_new_with_free_func(g_free);
  event->sha256 = g_strdup("");
  event->failed = TRUE;
  g_ptr_array_add(event->fields, g_strdup("reason"));
  g_ptr_array_add(event->fields, g_strdup(why));
  return event;
}

/* ---- looking for it ------------------------------------------------------------------------ */

gboolean
app_event_matches(const StoreEventRow *row, const AppRecordFilter *filter, char *const *words)
{
  g_autofree char *all = NULL, *folded = NULL;

  if ((filter->failed && !row->failed) || (filter->kind && g_strcmp0(filter->kind, row->kind))) {
    return FALSE;
  }
  if (!words || !*words) {
    return TRUE;
  }
  all = g_strjoin("\n", row->time ? row->time : "", row->kind ? row->kind : "",
                  row->user_name ? row->user_name : "", row->real_name ? row->real_name : "",
                  row->person ? row->person : "", row->body ? row->body : "",
                  row->text ? row->text : "", NULL);
  folded = g_utf8_casefold(all, -1);
  for (; *words; words++) {
    if (!strstr(folded, *words)) {
      return FALSE;
    }
  }
  return TRUE;
}
