/* private.h - what the files of app share. Not for other rooms. */
#ifndef HILUM_APP_PRIVATE_H
#define HILUM_APP_PRIVATE_H

#include "app.h"
#include "dicom.h"
#include "dicom_gate.h"
#include "model.h"
#include "store.h"

G_BEGIN_DECLS

/* ---- errors ------------------------------------------------------------------------------- */

/* The one place where a ModelError becomes a GError. Returns FALSE. */
gboolean app_error_from_model(GError **error, const ModelError *from);

/* ---- models ------------------------------------------------------------------------------- */

/* Where the model of OPTIONS is. g_free(). */
char *app_model_path(const AppModelOptions *options, GError **error);
/* Opens what OPTIONS ask for, the demo model by default. model_engine_free(). */
ModelEngine *app_engine_open(const AppModelOptions *options, GError **error);
/* GO_ON as in ModelEngineOptions; NULL: always. */
ModelEngine *app_engine_open_while(const AppModelOptions *options, bool (*go_on)(void *user),
                                   gpointer user, GError **error);
/* Whether what ENGINE computes means nothing any more, and why. */
gboolean app_engine_is_lost(const ModelEngine *engine, GError **error);
const ModelGuard *app_guard(void);
/* To be looked at or tokenized with: at once, whatever its size. */
ModelEngine *app_engine_inspect(const AppModelOptions *options, GError **error);
ModelSessionOptions app_session_options(const AppModelOptions *options);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(ModelEngine, model_engine_free)
G_DEFINE_AUTOPTR_CLEANUP_FUNC(ModelSession, model_session_free)

/* Where a model runs, for reports: "local", or the server's address as the log has it. */
#define app_engine_text(engine) ((engine) ? (engine) : "local")

/* ---- pictures ----------------------------------------------------------------------------- */

/* One frame of one file as the radiologist and the model see it. Immutable, shared by references.
 */
typedef struct {
  gint n_refs;
  DicomInfo *info;       /* header facts */
  AppImageChoice choice; /* what was asked for; its path is owned */
  DicomWindow own;       /* the file's own window */
  DicomWindow window;    /* in force */
  gboolean has_numbers;  /* the window has a centre and a width */
  DicomPicture *picture; /* of THE rendering, or of the blank picture, the part that was chosen */
  guint8 *grey;          /* the same in one channel, for 8-bit grey bitmaps; else NULL */
  char *pixels_sha256;   /* of the stored values of the frame */
  char *sent_sha256;     /* of the bytes of PICTURE */
} AppShot;
AppShot *app_shot_new(const AppImageChoice *choice, GError **error);
AppShot *app_shot_ref(AppShot *shot);
void app_shot_unref(AppShot *shot); /* SHOT may be NULL */
G_DEFINE_AUTOPTR_CLEANUP_FUNC(AppShot, app_shot_unref)
/* What would give the picture that the log has of IMAGE (shot-again.c); strings borrowed. */
AppImageChoice app_choice_of_logged(const StoreImage *image);
/* Picture NUMBER of a conversation of the log (from 1) again; an error when it is gone, or no longer
 * the very picture, by the hash of what was sent (shot-again.c). */
AppShot *app_shot_again(const StoreImage *image, guint number, GError **error);
/* Whether CHOICE would give the same: by the window in force, however it was asked for. */
gboolean app_shot_is_of(const AppShot *shot, const AppImageChoice *choice);
/* Makes *PICTURE the part of it that CHOICE says (shot-part.c). */
gboolean app_picture_cut(DicomPicture **picture, const AppImageChoice *choice, GError **error);
ModelImage app_shot_image(const AppShot *shot); /* borrowed */
/* A blank picture of the same size in the place of SHOT's. */
AppShot *app_shot_blank(const AppShot *shot);

/* The window that renders FRAME when WINDOW is asked for (NULL or unset: the file's own, perhaps
 * inverted). */
gboolean app_window_resolve(const DicomFrame *frame, const AppWindow *window, const char *path,
                            DicomWindow *resolved, GError **error);

/* What a window that is in force is called: with a centre and a width, or a table of the file and
 * what it covers; not set when the picture is shown as it is. */
AppWindow app_window_of(const DicomWindow *window);

/* What the header says beyond the table of expectations: kind of object, gate, orientation,
 * lengths, compression (image-facts.c). */
void app_image_set_facts(JsonObject *object, const DicomInfo *info);

/* ---- what an image is --------------------------------------------------------------------- */

/* Names of the flags with commas between, for the log; g_free(). */
char *app_gate_names(const DicomGate *gate);
/* Sets "warnings" to an array of NAMES; NULL: nobody looked. */
void app_gate_set_names(JsonObject *object, const char *names);
/* Sets "body_part", "view", "laterality", "warnings" (names) and "warning_texts" (sentences). */
void app_gate_set(JsonObject *object, const DicomGate *gate);
/* The sentences; g_strfreev(). */
char **app_gate_sentences(const DicomInfo *info);

/* ---- JSON --------------------------------------------------------------------------------- */

/* Each sets MEMBER of OBJECT. Empty and NULL strings become null. */
void app_json_set_text(JsonObject *object, const char *member, const char *text);
void app_json_set_ids(JsonObject *object, const char *member, const gint32 *ids, gsize n);
void app_json_set_object(JsonObject *object, const char *member, JsonObject *value);
JsonNode *app_json_node(JsonObject *object); /* takes OBJECT */
/* Sets "tokens": [{text, p}], the pieces of TEXT; null when there are none. */
void app_json_set_tokens(JsonObject *object, const char *text, const StorePiece *pieces, gsize n);
/* How an image was taken: "region" ({x, y, width, height}, or null for all of it), "turns", "flip",
 * "window" ({center, width: or null; lut, invert: as in AppWindow}). */
void app_json_set_place(JsonObject *object, const StoreImage *image);

/* ---- JSON from elsewhere ------------------------------------------------------------------ */

#define APP_JSON_MAX_OBJECT (4u << 20) /* bytes of one record of a data set */
gboolean app_json_is_blank(char c);
/* Length of the object that TEXT begins with. 0: it begins with none, the object does not end
 * within its N bytes, is over the limit, nests too deep, or holds what JSON does not know. */
gsize app_json_object_length(const char *text, gsize n);
/* A node of OBJECT, which is taken. */
JsonNode *app_json_object_node(JsonObject *object);
/* The one object that TEXT (N bytes) holds, blanks behind it aside. The message names neither file
 * nor line, and quotes nothing. json_object_unref(). */
JsonObject *app_json_object_read(const char *text, gsize n, GError **error);
/* A string member, borrowed; NULL when it is absent or something else. */
const char *app_json_get_text(JsonObject *object, const char *member);

/* ---- files -------------------------------------------------------------------------------- */

/* Writes an array as NumPy's format 1.0, aside, synced and renamed. DESCR such as "<f4"; BYTES is
 * little-endian, row by row. */
gboolean app_npy_write(const char *path, const char *descr, const gsize *shape, guint n_dims,
                       const void *bytes, gsize n_bytes, GError **error);
/* Any bytes, the same way. */
gboolean app_file_write(const char *path, const void *bytes, gsize n_bytes, GError **error);
/* Whether a file could be written at PATH: its folder is there. For the start of long work. */
gboolean app_file_has_folder(const char *path, GError **error);
/* Whether writing OUT leaves IN, which is read, as it is: they are not one file, by any name. */
gboolean app_file_is_another(const char *out, const char *in, GError **error);
/* FOLDER/NAME, for a name out of a data set from elsewhere: one that leaves the folder is refused.
 * g_free(). */
char *app_file_below(const char *folder, const char *name, GError **error);

G_END_DECLS
#endif
