/* export-fixture.h - a conversation as an export gets it, about a picture on the disk. */
#ifndef HILUM_TESTS_EXPORT_FIXTURE_H
#define HILUM_TESTS_EXPORT_FIXTURE_H

#include <glib/gstdio.h>
#include <string.h>

#include "app_phantom.h"
#include "dicom_phantom.h"
#include "export-talk.h"
#include "tiny.h"

#define EXPORT_HEAD                                                                                \
  "hilum.local/log\n42\nqY5cYd3m0eK2m1nXq2m3v5J7t0J3b2cTtN5b8YyXw1E=\n\n"                          \
  "\xe2\x80\x94 hilum.local/log AAAAAOr0\n"
#define EXPORT_TIME "2026-11-26T11:04:05Z"

typedef struct {
  char *folder, *image_path;
  StoreConversation conversation;
  GPtrArray *turns; /* of StoreExportTurn * */
  GStringChunk *strings;
  StoreImage image;
} ExportFixture;

/* Of the file at PATH, which need not be DICOM, as a question about it is logged. */
static inline StoreImage
export_image(ExportFixture *f, const char *path, AppWindow window)
{
  const AppImageChoice choice = {.path = path, .window = window};
  g_autoptr(GError) error = NULL;
  g_autoptr(AppShot) shot = app_shot_new(&choice, &error);
  StoreImage image = {0};

  g_assert_no_error(error);
#define KEEP(text) g_string_chunk_insert(f->strings, (text))
  image.path = KEEP(path);
  image.study_instance_uid = KEEP(shot->info->study_instance_uid);
  image.series_instance_uid = KEEP(shot->info->series_instance_uid);
  image.sop_instance_uid = KEEP(shot->info->sop_instance_uid);
  image.sop_class = KEEP(shot->info->sop_class);
  image.patient_id = KEEP(shot->info->patient_id);
  image.patient_name = KEEP(shot->info->patient_name);
  image.study_date = KEEP(shot->info->study_date);
  image.study_description = KEEP(shot->info->study_description);
  image.modality = KEEP(shot->info->modality);
  image.pixels_sha256 = KEEP(shot->pixels_sha256);
  image.sent_sha256 = KEEP(shot->sent_sha256);
  image.has_window = shot->has_numbers;
  image.window_center = shot->window.center;
  image.window_width = shot->window.width;
  image.inverted = window.invert;
  return image;
}

static inline StoreExportTurn *
export_turn(ExportFixture *f, const char *question, const char *answer)
{
  StoreExportTurn *turn = g_new0(StoreExportTurn, 1);
  StoreTurnRow *row = g_new0(StoreTurnRow, 1);

  row->number = f->turns->len + 1;
  row->id = row->number;
  row->time = (char *)"2026-11-25T09:30:12Z";
  row->turn = (StoreTurn){.question = question,
                          .answer = answer,
                          .stop = "eos",
                          .temperature = 0.2,
                          .top_p = 0.7,
                          .seed = 7,
                          .max_tokens = 512,
                          .image = 1,
                          .answer_form = "free"};
  row->image = f->image;
  row->model =
      (StoreModel){.name = "LLaVA-Med v1.5 Mistral 7B",
                   .sha256 = "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef",
                   .quantization = "Q4_K_M",
                   .template_name = "mistral_instruct"};
  *turn = (StoreExportTurn){.conversation = &f->conversation,
                            .row = row,
                            .verdicts = g_ptr_array_new_with_free_func(g_free),
                            .checks = g_ptr_array_new_with_free_func(g_free)};
  g_ptr_array_add(f->turns, turn);
  f->conversation.n_turns = f->turns->len;
  return turn;
}

static inline void
export_judge(StoreExportTurn *turn, const char *verdict, const char *text)
{
  StoreVerdictRow *row = g_new0(StoreVerdictRow, 1);

  row->time = (char *)"2026-11-25T09:41:00Z";
  row->verdict = (StoreVerdict){verdict, text, "jdoe", "Dr. Jane Doe"};
  g_ptr_array_add(turn->verdicts, row);
}

static inline void
export_check(StoreExportTurn *turn, const char *kind, gboolean same, double agreement)
{
  static const StoreCheckAnswer answers[] = {{"No.", 1}, {"Yes.", 2}, {"Perhaps.", 3}};
  StoreCheckRow *row = g_new0(StoreCheckRow, 1);

  row->check = (StoreCheck){kind, same, agreement, answers, G_N_ELEMENTS(answers)};
  g_ptr_array_add(turn->checks, row);
}

static inline void
export_turn_free(gpointer data)
{
  StoreExportTurn *turn = data;

  g_ptr_array_unref(turn->verdicts);
  g_ptr_array_unref(turn->checks);
  g_free((gpointer)turn->row);
  g_free(turn);
}

/* A chest CT slice, of which nothing was asked yet. */
static inline void
export_set_up(ExportFixture *f)
{
  g_autoptr(GError) error = NULL;
  PhantomTruth truth;

  f->folder = tiny_folder_new();
  f->strings = g_string_chunk_new(4096);
  f->image_path = g_build_filename(f->folder, "image.dcm", NULL);
  phantom_truth_of_kind(1, 2, PHANTOM_CHEST_CT, &truth);
  g_assert_true(phantom_write_dicom(&truth, NULL, f->image_path, FALSE, &error));
  f->image =
      export_image(f, f->image_path, (AppWindow){.set = TRUE, .center = -600, .width = 1500});
  f->turns = g_ptr_array_new_with_free_func(export_turn_free);
  f->conversation = (StoreConversation){
      .id = 12, .started = (char *)"2026-11-25T09:30:00Z", .program_version = (char *)"0.1.0"};
}

static inline void
export_tear_down(ExportFixture *f)
{
  g_ptr_array_unref(f->turns);
  g_string_chunk_free(f->strings);
  tiny_folder_free(f->folder);
  g_free(f->image_path);
}

#endif
