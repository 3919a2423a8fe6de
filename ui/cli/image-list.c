/* image-list.c - hilum image list: folders and discs as patients, studies and series. */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "commands.h"

/* A line on a terminal, nothing in a file. */
static gboolean
show_progress(guint64 done, guint64 total, gpointer user)
{
  if (isatty(STDERR_FILENO) && (done % 100 == 0 || done == total)) {
    if (total == 0) {
      fprintf(stderr, "\r%" G_GUINT64_FORMAT " files found", done);
    } else {
      fprintf(stderr, "\r%" G_GUINT64_FORMAT " of %" G_GUINT64_FORMAT " headers read%s", done,
              total, done == total ? "\n" : "");
    }
  }
  return TRUE;
}

static void G_GNUC_PRINTF(2, 3) print_line(guint depth, const char *format, ...)
{
  g_autofree char *text = NULL;
  va_list args;

  va_start(args, format);
  text = g_strdup_vprintf(format, args);
  va_end(args);
  /* Texts from files may have line feeds, which would break the tree. */
  printf("%*s%s\n", (int)(2 * depth), "", g_strdelimit(cli_harmless(text), "\n\t", ' '));
}

/* Longer ones than any of the standard's are damage, and would bury the others. */
enum { MAX_SHOWN = 200 };

/* "label value" for a member that is there, after what TEXT has. */
static void
append(GString *text, const char *label, JsonObject *object, const char *member)
{
  const char *value = json_object_get_string_member_with_default(object, member, NULL);

  if (value) {
    g_autofree char *line = cli_one_line(value, MAX_SHOWN);

    g_string_append_printf(text, "%s%s%s", text->len > 0 ? ", " : "", label, line);
  }
}

/* A date of PS3.5 (DA) as 2001-02-28; anything else as it is. */
static void
append_date(GString *text, const char *label, JsonObject *object, const char *member)
{
  const char *value = json_object_get_string_member_with_default(object, member, NULL);

  if (value && strlen(value) == 8 && strspn(value, "0123456789") == 8) {
    g_string_append_printf(text, "%s%s%.4s-%.2s-%.2s", text->len > 0 ? ", " : "", label, value,
                           value + 4, value + 6);
  } else {
    append(text, label, object, member);
  }
}

static void
print_patient(JsonObject *object)
{
  g_autoptr(GString) text = g_string_new(NULL);

  append(text, "", object, "name");
  if (text->len == 0) {
    g_string_append(text, "not named");
  }
  append(text, "id ", object, "patient_id");
  append_date(text, "born ", object, "birth_date");
  append(text, "sex ", object, "sex");
  print_line(0, "Patient: %s", text->str);
}

static void
print_study(JsonObject *object)
{
  g_autoptr(GString) text = g_string_new(NULL);

  append_date(text, "", object, "date");
  append(text, "", object, "description");
  append(text, "accession number ", object, "accession_number");
  print_line(1, "Study: %s", text->len > 0 ? text->str : "not described");
}

static void
print_items(JsonArray *items)
{
  for (guint i = 0; i < json_array_get_length(items); i++) {
    JsonObject *item = json_array_get_object_element(items, i);
    JsonNode *frames = json_object_get_member(item, "frames");
    g_autofree char *order = JSON_NODE_HOLDS_NULL(frames) ? NULL : app_json_text(frames);

    print_line(4, "%s%s%s", json_object_get_string_member(item, "file"), order ? " frames " : "",
               order ? order : "");
  }
}

static void
print_series(JsonObject *object)
{
  static const char *const orders[][2] = {
      {"geometry", "by geometry"}, {"instance-number", "by InstanceNumber"}, {"name", "by name"}};
  g_autoptr(GString) text = g_string_new(NULL);
  const char *order = json_object_get_string_member(object, "sorted_by");
  gint64 n = json_object_get_int_member(object, "images");
  JsonArray *notes = json_object_get_array_member(object, "notes");

  append(text, "", object, "modality");
  append(text, "", object, "description");
  g_string_append_printf(text, "%s%" G_GINT64_FORMAT " %s", text->len > 0 ? ", " : "", n,
                         n == 1 ? "image" : "images");
  /* Frames of one file that no geometry orders are shown as they are stored. */
  for (guint i = 0; i < G_N_ELEMENTS(orders) && n > 1; i++) {
    gboolean chosen = strcmp(order, orders[i][0]) == 0;
    if (chosen && (i == 0 || json_object_get_int_member(object, "files") > 1)) {
      g_string_append_printf(text, " %s", orders[i][1]);
    }
  }
  if (!json_object_get_null_member(object, "spacing_mm")) {
    g_string_append_printf(text, ", %.2f mm apart",
                           json_object_get_double_member(object, "spacing_mm"));
  }
  if (!json_object_get_null_member(object, "frame_rate")) {
    g_string_append_printf(text, ", %.1f per second",
                           json_object_get_double_member(object, "frame_rate"));
  }
  if (json_object_get_boolean_member(object, "localizer")) {
    g_string_append(text, ", localiser");
  }
  g_autofree char *number =
      g_strdup_printf(" %" G_GINT64_FORMAT, json_object_get_int_member(object, "number"));
  print_line(2, "Series%s: %s", strcmp(number, " 0") == 0 ? "" : number, text->str);
  for (guint i = 0; i < json_array_get_length(notes); i++) {
    print_line(3, "! %s", json_array_get_string_element(notes, i));
  }
  if (json_object_has_member(object, "items")) {
    print_items(json_object_get_array_member(object, "items"));
  }
}

static void
print_document(JsonObject *object)
{
  gboolean loose = json_object_get_null_member(object, "study");
  g_autoptr(GString) text = g_string_new("No image");

  append(text, "", object, "kind");
  append(text, "", object, "name");
  append(text, "", object, "title");
  print_line(loose ? 0 : 2, "%s: %s", text->str, json_object_get_string_member(object, "file"));
}

static void
print_for_people(JsonObject *object)
{
  const char *type = json_object_get_string_member(object, "type");

  if (strcmp(type, "patient") == 0) {
    print_patient(object);
  } else if (strcmp(type, "study") == 0) {
    print_study(object);
  } else if (strcmp(type, "series") == 0) {
    print_series(object);
  } else if (strcmp(type, "document") == 0) {
    print_document(object);
  } else if (strcmp(type, "refused") == 0) {
    print_line(0, "Refused: %s: %s", json_object_get_string_member(object, "file"),
               json_object_get_string_member(object, "reason"));
  } else {
    print_line(0, "%s", json_object_get_string_member(object, "text"));
  }
}

int
cmd_image_list(int argc, char **argv)
{
  gboolean json = FALSE, files = FALSE;
  const GOptionEntry entries[] = {
      CLI_JSON_ENTRY(&json),
      {"files", 0, 0, G_OPTION_ARG_NONE, &files,
       "List the files of each series too, in the order in which they are shown", NULL},
      {NULL}};
  g_autoptr(GError) error = NULL;
  g_autoptr(GPtrArray) lines = NULL;
  JsonObject *summary;
  int status;

  if (!cli_parse(&argc, &argv, entries, NULL, "PATH…",
                 "Patients, studies and series below folders, DICOMDIRs and files.",
                 "Headers alone are read. Whatever is odd about a series is said, and so is each\n"
                 "file that cannot be shown.",
                 1, G_MAXINT, &status)) {
    return status;
  }
  lines = app_image_list((const char *const *)argv + 1, files, show_progress, NULL, &error);
  if (!lines) {
    return cli_failed(error);
  }
  for (guint i = 0; i < lines->len; i++) {
    if (json) {
      cli_print_json(lines->pdata[i]);
    } else {
      print_for_people(json_node_get_object(lines->pdata[i]));
    }
  }
  summary = json_node_get_object(lines->pdata[lines->len - 1]);
  if (json_object_get_int_member(summary, "images") +
          json_object_get_int_member(summary, "documents") ==
      0) {
    cli_note("nothing there could be read");
    return CLI_FAILED;
  }
  return CLI_DONE;
}
