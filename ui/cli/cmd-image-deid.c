/* cmd-image-deid.c - hilum image deid */
#include <stdio.h>
#include <unistd.h>

#include "app_deid.h"
#include "commands.h"

typedef struct {
  char *out, *key;
  char **blank;
  AppDeidOptions options;
  GArray *rects; /* of AppRect */
  gboolean json;
} Arguments;

static void
arguments_clear(Arguments *a)
{
  g_free(a->out);
  g_free(a->key);
  g_strfreev(a->blank);
  g_clear_pointer(&a->rects, g_array_unref);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Arguments, arguments_clear)

static guint
list_length(JsonObject *object, const char *member)
{
  return json_array_get_length(json_object_get_array_member(object, member));
}

static void
print_counts(JsonObject *object)
{
  static const char *const lists[] = {"removed", "replaced", "cleaned", "kept"};
  JsonArray *unsure = json_object_get_array_member(object, "unsure");

  printf("%s:", cli_text_member(object, "out"));
  for (guint i = 0; i < G_N_ELEMENTS(lists); i++) {
    printf("%s %u %s", i > 0 ? "," : "", list_length(object, lists[i]), lists[i]);
  }
  printf("%s\n", list_length(object, "blanked") > 0 ? ", pixels blanked" : "");
  for (guint i = 0; i < json_array_get_length(unsure); i++) {
    printf("  unsure: %s\n", json_array_get_string_element(unsure, i));
  }
}

/* The user pointer is the arguments. */
static void
show_report(JsonNode *report, gpointer user)
{
  const Arguments *a = user;
  JsonObject *object = json_node_get_object(report);
  const char *why = cli_text_member(object, "error");

  if (json_object_get_null_member(object, "out")) {
    cli_note("%s", why);
  }
  if (a->json) {
    cli_print_json(report);
  } else if (!json_object_get_null_member(object, "out")) {
    print_counts(object);
  }
}

/* A line on a terminal, nothing in a file. */
static gboolean
show_progress(guint64 done, guint64 total, gpointer user)
{
  if (isatty(STDERR_FILENO) && total > 20 && (done % 20 == 0 || done == total)) {
    fprintf(stderr, "\r%" G_GUINT64_FORMAT " of %" G_GUINT64_FORMAT " files%s", done, total,
            done == total ? "\n" : "");
  }
  return TRUE;
}

/* FALSE: complained. */
static gboolean
fill_options(Arguments *a, char **paths)
{
  g_autoptr(GError) error = NULL;

  if (!a->out || !*a->out) {
    cli_misused("--out says which folder the copies go to; it is %s", a->out ? "empty" : "missing");
    return FALSE;
  }
  a->rects = g_array_new(FALSE, TRUE, sizeof(AppRect));
  for (char **text = a->blank; text && *text; text++) {
    AppRect rect;
    if (!app_rect_parse(*text, &rect, &error)) {
      cli_misused("--blank: %s", error->message);
      return FALSE;
    }
    g_array_append_val(a->rects, rect);
  }
  a->options.paths = (const char *const *)paths;
  a->options.out = a->out;
  a->options.key = a->key;
  a->options.blank = (const AppRect *)(gpointer)a->rects->data;
  a->options.n_blank = a->rects->len;
  return TRUE;
}

static const char description[] =
    "Copies by the Basic Application Level Confidentiality Profile (PS3.15 annex E, 2024b). UIDs,\n"
    "patients and request numbers are replaced by others that depend on the key alone, so that\n"
    "copies made with one key belong together. Exit status 1 if a file was refused or anything\n"
    "could not be guaranteed; look at such copies before they leave the house.";

int
cmd_image_deid(int argc, char **argv)
{
  g_auto(Arguments) a = {0};
  AppDeidOptions *o = &a.options;
  const GOptionEntry entries[] = {
      {"out", 'o', 0, G_OPTION_ARG_FILENAME, &a.out, "Folder of the copies", "DIR"},
      {"key", 0, 0, G_OPTION_ARG_FILENAME, &a.key,
       "File of 32 secret bytes, made on first use (default: the user's own)", "FILE"},
      {"retain-dates-modified", 0, 0, G_OPTION_ARG_NONE, &o->modified_dates,
       "Keep dates, shifted by as many days for each patient as the key says", NULL},
      {"retain-device", 0, 0, G_OPTION_ARG_NONE, &o->retain_device,
       "Keep what identifies the scanner", NULL},
      {"clean-descriptors", 0, 0, G_OPTION_ARG_NONE, &o->clean_descriptors,
       "Keep descriptions, reduced to known words of modalities and body parts", NULL},
      {"clean-graphics", 0, 0, G_OPTION_ARG_NONE, &o->clean_graphics,
       "Say that overlays went and texts of annotations were replaced", NULL},
      {"clean-pixels", 0, 0, G_OPTION_ARG_NONE, &o->clean_pixels,
       "Blank what lies outside the ultrasound regions that the file declares", NULL},
      {"blank", 0, 0, G_OPTION_ARG_FILENAME_ARRAY, &a.blank,
       "Blank a rectangle in every frame; may be given several times", "X,Y,W,H"},
      CLI_JSON_ENTRY(&a.json),
      {NULL}};
  g_autoptr(GError) error = NULL;
  AppDeidCounts counts;
  int status;

  if (!cli_parse(&argc, &argv, entries, NULL, "FILE|FOLDER…", "Writes copies without the patient.",
                 description, 1, G_MAXINT, &status)) {
    return status;
  }
  if (!fill_options(&a, argv + 1)) {
    return CLI_MISUSED;
  }
  if (!app_deid(o, show_report, show_progress, &a, &counts, &error)) {
    return cli_failed(error);
  }
  cli_note("%u of %u files copied, %u refused, %u copies to be looked at", counts.n_copied,
           counts.n_files, counts.n_refused, counts.n_unsure);
  return counts.n_refused > 0 || counts.n_unsure > 0 ? CLI_FAILED : CLI_DONE;
}
