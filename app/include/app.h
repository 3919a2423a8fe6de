/* app.h - the use cases, with no user interface.
 *
 * The only room that sees model, dicom and data. The command line and the window are both thin
 * layers over it. Reports for people and programs come as JsonNode (json-glib), with the stable
 * keys that the command line promises; pictures and answers as plain data.
 *
 * Thread rule: an AppReview runs its work on one worker thread of its own; callbacks of the _async
 * calls arrive in the caller's thread-default main context. The plain functions are synchronous.
 * Errors: GError of the room that failed, or APP_ERROR.
 */
#ifndef HILUM_APP_H
#define HILUM_APP_H

#include <gio/gio.h>
#include <json-glib/json-glib.h>

G_BEGIN_DECLS

#define APP_ERROR (app_error_quark())
GQuark app_error_quark(void);
typedef enum {
  APP_ERROR_ARGUMENT, /* misuse: exit status 2 */
  APP_ERROR_MODEL,    /* a ModelError, message as it was */
  APP_ERROR_CANCELLED,
  APP_ERROR_FAILED,
  APP_ERROR_MODEL_LOST, /* its file changed under it: it has to be loaded again */
  APP_ERROR_PERSON,     /* a verdict needs somebody who signed in (app_person.h) */
} AppError;

#define APP_NOTICE "Research use only, not for clinical use."

const char *app_version(void);

/* For main(): memory of a model's file that another process cuts short is no end of the program
 * (SIGBUS), but an error to who asks that model (APP_ERROR_MODEL_LOST); and a limit on the size of
 * files is as a full disk (EFBIG), not the end of the program (SIGXFSZ). */
void app_guard_files(void);

/* NODE as one line of JSON: UTF-8 as it is, numbers in the shortest form that reads back to the
 * same value, null for what is not a finite number. g_free(). */
char *app_json_text(JsonNode *node);

/* ---- models ------------------------------------------------------------------------------- */

/* The demo model that was built in: $HILUM_DEMO_MODEL, the installed data folder, or the source
 * tree. NULL with *error when it is not there. g_free(). */
char *app_demo_model_path(GError **error);

/* How keys and values of a conversation are kept; AUTO: float16, for small models float32. */
typedef enum { APP_KV_AUTO, APP_KV_F32, APP_KV_F16, APP_KV_Q8_0 } AppKvType;

typedef struct {
  const char *model, *mmproj, *vision_tower, *template_name; /* NULL: demo model, defaults */
  guint n_threads, context;
  AppKvType kv_type;
  GCancellable *cancellable; /* ends the opening; NULL: nothing does */
} AppModelOptions;

/* The JSON object of `hilum model info --json`: no weight is read, but for HASH, or when it is
 * small: its "sha256" is null otherwise. */
JsonNode *app_model_info(const AppModelOptions *options, gboolean hash, GError **error);
/* Whether it looks at images, without the hash of its weights. FALSE only with ERROR. */
gboolean app_model_has_vision(const AppModelOptions *options, gboolean *has, GError **error);
JsonNode *app_model_trace(const AppModelOptions *options, const char *image, const char *prompt,
                          guint max_tokens, const char *dump_dir, GError **error);
typedef gboolean (*AppProgress)(guint64 done, guint64 total, gpointer user);

typedef enum { APP_VERIFY_SAMPLE, APP_VERIFY_ALL, APP_VERIFY_NONE } AppVerify;
typedef struct {
  const char *type, *tower_type; /* as `hilum model convert` names them; TOWER_TYPE may be NULL */
  const char *card;              /* text file, or NULL */
  const char *out;
  const char *imatrix;     /* file of app_model_imatrix(), or NULL */
  const char *base, *lora; /* folders of what is merged into the weights, or NULL */
  AppVerify verify;
  gboolean packed; /* as the kernels read it */
  gboolean split;  /* llama.cpp's pair */
} AppConvertOptions;
/* Writes a model as one GGUF file, or as a pair. The report: {out, mmproj, type, tensors, bytes,
 * seconds, verified_rows, worst_error, worst_tensor, sha256}. PROGRESS in bytes; FALSE cancels. */
JsonNode *app_model_convert(const AppModelOptions *model, const AppConvertOptions *options,
                            AppProgress progress, gpointer user, GError **error);

/* Shapes that models with random weights can have, by name; NULL past the last. */
const char *app_model_random_shape(guint index);
typedef enum { APP_RANDOM_WHOLE, APP_RANDOM_DECODER, APP_RANDOM_TOWER } AppRandomPart;
typedef struct {
  const char *shape, *type, *tower_type;
  guint64 seed;
  AppRandomPart part;
} AppRandomOptions;
/* Writes such a model, or one of the pair of files that llama.cpp reads. */
gboolean app_model_random(const AppRandomOptions *options, const char *out, AppProgress progress,
                          gpointer user, GError **error);

/* Prompts are lines of text, or of JSON: {text, image (file below IMAGES)}, as data sets have them.
 */
typedef struct {
  const char *prompts, *images; /* file; folder, or NULL when no line names an image */
  const char *out;
  guint limit;      /* most prompts; 0: all */
  guint max_tokens; /* of each answer, which counts too; 0: 64 */
} AppImatrixOptions;
/* Asks a model all prompts and writes how much each column of its products counted, for
 * conversions: {out, model, prompts, tensors, rows, seconds}. PROGRESS in prompts; FALSE cancels.
 */
JsonNode *app_model_imatrix(const AppModelOptions *model, const AppImatrixOptions *options,
                            AppProgress progress, gpointer user, GError **error);

typedef struct _AppTokenizer AppTokenizer;
AppTokenizer *app_tokenizer_open(const AppModelOptions *options, GError **error);
JsonNode *app_tokenizer_line(AppTokenizer *tokenizer, const char *text, gsize length,
                             GError **error); /* {ids, ids_special} */
void app_tokenizer_free(AppTokenizer *tokenizer);

/* ---- images ------------------------------------------------------------------------------- */

JsonNode *app_image_info(const char *path, gboolean pixels, GError **error);

typedef struct {
  gboolean set; /* FALSE: the file's own window */
  double center, width;
  guint lut;       /* with SET, not 0: table LUT - 1 of the file's VOILUTSequence, and no numbers */
  gboolean invert; /* on top of what the file says, set or not */
} AppWindow;
gboolean app_window_parse(const char *text, AppWindow *window, GError **error); /* "C/W" */

/* Writes the rendered picture as PNG. PRESENTATION: path of a grayscale presentation state that the
 * picture is to look like, or NULL. */
gboolean app_image_render(const char *path, guint frame, const char *presentation,
                          const AppWindow *window, const char *out, GError **error);
/* Writes the decoded stored values (raw little-endian, or .npy when OUT ends so). FRAME counts from
 * 0, here and everywhere. */
gboolean app_image_decode(const char *path, guint frame, const char *out, GError **error);

/* What lies below PATHS (files, folders, DICOMDIRs; ends with NULL), headers alone being read: of
 * JsonNode *, objects whose "type" is "patient", "study", "series", "document" or "refused", in the
 * order of the tree, and a "summary" as the last. Names and ids of persons are in those of type
 * "patient" alone. FILES adds to each series its files in the order to show them. PROGRESS may be
 * NULL; as long as files are being found, it gets total 0. FALSE from it ends with an error. */
GPtrArray *app_image_list(const char *const *paths, gboolean files, AppProgress progress,
                          gpointer user, GError **error);

/* The text of a structured report or key object selection: {file, kind, title, text}. */
JsonNode *app_image_text(const char *path, GError **error);
/* Writes the document of an encapsulated PDF to OUT: {file, out, bytes, title}. */
JsonNode *app_image_extract(const char *path, const char *out, GError **error);

/* Images are read by helper processes that can do nothing else. What one of them may do, tried out:
 * {open, write, connect, fork: "denied" or "allowed", sandboxed: whether system calls are filtered,
 * reason: why not, or null}. */
JsonNode *app_image_sandbox(GError **error);
/* Starts the helpers, so that the first image does not wait for them. Returns at once. */
void app_image_warm(void);
/* Where to say, once and from any thread, that this kernel does not filter their system calls. */
typedef void (*AppWarning)(const char *text);
void app_set_warning(AppWarning warn);

/* ---- a server in the model's place ---------------------------------------------------------- */

/* A server that speaks OpenAI's chat completions (vLLM, llama.cpp's, SGLang) answers in place of a
 * model in the program. With a URL, and only then, questions, answers and pictures leave the
 * machine. Its key, if it wants one, is $HILUM_ENGINE_KEY, or that of another role. */
typedef struct {
  const char *role;    /* what it is to us, in names of options and of its key, such as "teacher":
                          --teacher-insecure, $HILUM_TEACHER_KEY; NULL: "engine". Static */
  const char *url;     /* "https://gpu.example:8000/v1"; NULL: none */
  const char *model;   /* as the server calls it */
  const char *ca_file; /* PEM of the authority that vouches for the server; NULL: the system's */
  const char *proxy;   /* "http://HOST:PORT"; NULL: none, whatever the environment says */
  gboolean insecure;   /* plain http to another machine is meant */
  guint timeout_s;     /* longest silence; 0: 300 s to the first word, 60 s from word to word */
} AppRemoteOptions;
/* Checks OPTIONS and the key without a word to the server: its name for people, "gpu.example:8000".
 * g_free(). */
char *app_remote_host(const AppRemoteOptions *options, GError **error);

/* ---- a review: open, ask, follow up -------------------------------------------------------- */

typedef struct _AppReview AppReview;

/* A part of the picture as it is stored, in pixels; WIDTH 0: all of it. */
typedef struct {
  guint x, y, width, height;
} AppRegion;

typedef struct {
  const char *path;
  guint frame;
  AppWindow window;
  gboolean blank; /* a blank picture in its place */
  AppRegion region;
  guint turns;   /* turned clockwise by so many right angles, then */
  gboolean flip; /* mirrored left to right, as it is on the screen */
} AppImageChoice;

typedef struct _AppNotes AppNotes; /* app_note.h */

typedef struct {
  AppModelOptions model;
  AppRemoteOptions remote; /* with a URL: in place of MODEL */
  const char *log_path;    /* NULL: the default place */
  gboolean no_log;
  gboolean lookup_log; /* AppSampling.lookup looks in earlier answers of the log as well */
  gboolean no_cache;   /* nothing that was computed is kept on disk; without a log nothing is */
  /* NULL, or the image of the first question: what is wrong with it is said before a big model is
   * loaded, and that question, asked with the same choice, finds it decoded. */
  const AppImageChoice *image;
  /* What the whole program notes in the same log: its start and end, files and models are told to
   * them. A review holds a reference. NULL: the review tells of itself. */
  AppNotes *notes;
} AppReviewOptions;

/* Looks at the image, opens the log, loads the model. */
AppReview *app_review_new(const AppReviewOptions *options, GError **error);
void app_review_free(AppReview *review);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(AppReview, app_review_free)
/* {name, sha256, quantization, template, engine}. Waits for the hash, which is taken beside the
 * first answer.
 */
JsonNode *app_review_model(AppReview *review, GError **error);
/* What speaks against asking about the image of the conversation, one sentence each, for people;
 * empty when nothing does or there is no image. g_strfreev(). */
char **app_review_warnings(AppReview *review);
/* Name of the model, at once. */
const char *app_review_model_name(AppReview *review);

typedef struct {
  double temperature, top_p;
  guint64 seed;
  guint max_tokens; /* 0: the default */
  guint lookup;     /* most ids looked up and checked together; 0: off. Changes no answer */
} AppSampling;
#define APP_MOST_LOOKUP 16 /* where texts do not repeat, it costs next to nothing */
/* Whether a question can be asked with it: asking checks too, but after the model was loaded. */
gboolean app_sampling_check(const AppSampling *sampling, GError **error);

typedef enum { APP_LENGTH_AUTO, APP_LENGTH_BRIEF, APP_LENGTH_DETAILED } AppLength;
typedef enum { APP_ANSWER_FREE, APP_ANSWER_SHORT, APP_ANSWER_YES_NO } AppAnswerForm;

typedef struct {
  const char *question;        /* NULL: describe */
  const AppImageChoice *image; /* needed in the first turn; later: NULL goes on with the same */
  gboolean add_image; /* another IMAGE joins the conversation; it does not begin a new one */
  AppSampling sampling;
  AppAnswerForm form;
  AppLength length;    /* describe */
  const char *caption; /* describe; NULL: the data set's own text */
} AppQuestion;

/* Called from the worker: TOKEN text grows by, or a phase moves on ("image", "prompt", "answer";
 * for a server "sending", "waiting", "answer"). */
typedef struct {
  void (*text)(const char *bytes, gsize length, gpointer user);
  void (*progress)(const char *phase, guint done, guint total, gpointer user);
  gpointer user;
} AppListener;

/* One turn: the JSON object of `hilum ask --json` / `hilum describe --json`. Synchronous. An answer
 * of a server that broke off is one too (stop "interrupted"). The turn
 * is in the log when it returns, or is kept to be written later if the log could not take it: an
 * answer is never withheld for that, so ask app_review_save() afterwards. */
JsonNode *app_review_ask(AppReview *review, const AppQuestion *question,
                         const AppListener *listener, GCancellable *cancellable, GError **error);
/* The same on the review's worker; LISTENER is called in the caller's main context, text coalesced.
 */
void app_review_ask_async(AppReview *review, const AppQuestion *question,
                          const AppListener *listener, GCancellable *cancellable,
                          GAsyncReadyCallback callback, gpointer user);
JsonNode *app_review_ask_finish(AppReview *review, GAsyncResult *result, GError **error);
/* Does beforehand, on the review's worker, what a question about IMAGE will need whatever it says:
 * the picture is decoded and encoded, and its place in the prompt computed. Nothing is logged and
 * no conversation ends. A question that comes meanwhile waits for no more than a second of it if it
 * is about the same image; any other question, another call, or one with NULL stops it. Costs
 * nothing when all of it was done already. */
void app_review_prepare(AppReview *review, const AppImageChoice *image);
/* Writes the finished turns that the log has not taken yet. TRUE when none is left: everything that
 * was answered is in the log (or no log is kept). */
gboolean app_review_save(AppReview *review, GError **error);
/* Back to just before turn TURN, counted from 0, to edit a question or to ask again. The log keeps
 * what was said; the next turn opens a conversation there that says where it branches off. */
gboolean app_review_rewind(AppReview *review, guint turn, GError **error);
/* Starts a new conversation (a new image does so as well). Neither of the two may run while an
 * asynchronous question is under way; they wait for it. */
void app_review_reset(AppReview *review);
guint app_review_turns(AppReview *review);

/* ---- viewing (plain data for the window) ---------------------------------------------------- */

typedef struct {
  guint width, height;
  guint8 *pixels; /* RGB */
} AppPicture;
void app_picture_free(AppPicture *picture);

/* Whether the pixels themselves show text, which may name the patient. MAYBE: nobody says, and such
 * images (ultrasound, secondary captures, pictures) often do. */
typedef enum { APP_BURNED_IN_NO, APP_BURNED_IN_MAYBE, APP_BURNED_IN_YES } AppBurnedIn;

typedef struct {
  char *title, *subtitle, *modality;
  guint n_images;       /* slices and frames together */
  char **notes;         /* what is odd about it, for people; ends with NULL */
  double frame_time_ms; /* cine, 0 when it is none */
  gboolean is_localizer;
  char *patient_name;   /* "Doe, Jane"; "" when not known */
  guint patient, study; /* whose it is, and of which study; counted from 0 over all that is open */
  /* YYYYMMDD and text of that study; "" when not known. Studies of a patient are in order of date.
   */
  char *study_date, *study_description;
  /* Of its first image, as DICOM says it; "" when absent. IMAGE_TYPE: values joined by '\\'. */
  char *body_part, *view_position, *laterality, *image_type;
  AppBurnedIn burned_in;
} AppSeriesInfo;

/* A file that is no image. */
typedef struct {
  char *title, *kind, *path;
  guint study;       /* G_MAXUINT: of none */
  gboolean has_text; /* app_study_document_text() */
  gboolean is_pdf;   /* app_study_document_save() */
  guint presentation; /* 1 + its number (app_presentation.h); 0: it is none */
} AppDocument;

typedef struct _AppStudy AppStudy;
/* PATH: a file or a folder. A study may have documents only, and no series. */
void app_study_open_async(const char *path, GCancellable *cancellable, GAsyncReadyCallback callback,
                          gpointer user);
AppStudy *app_study_open_finish(GAsyncResult *result, GError **error);
AppStudy *app_study_open(const char *path, GError **error);
/* FILE with what lies beside it, where that is a folder of files alone and not too many: its
 * series, that is. Else FILE. FRAME of it is in the study. */
void app_study_open_around_async(const char *file, guint frame, GCancellable *cancellable,
                                 GAsyncReadyCallback callback, gpointer user);
/* Views under way go on and are thrown away; nothing is decoded ahead any more. */
void app_study_free(AppStudy *study);
guint app_study_n_series(AppStudy *study);
const AppSeriesInfo *app_study_series(AppStudy *study, guint series);
/* Which image FRAME of the file PATH is. FALSE: none of this study. */
gboolean app_study_find(AppStudy *study, const char *path, guint frame, guint *series,
                        guint *index);
guint app_study_n_documents(AppStudy *study);
const AppDocument *app_study_document(AppStudy *study, guint document);
const char *app_study_refused(AppStudy *study,
                              guint *n_refused); /* text for people, "" when none */
/* "300 of 302 files shown, 2 refused": images and documents are shown. */
const char *app_study_summary(AppStudy *study);

/* A report as text for people; g_free(). */
void app_study_document_text_async(AppStudy *study, guint document, GCancellable *cancellable,
                                   GAsyncReadyCallback callback, gpointer user);
char *app_study_document_text_finish(GAsyncResult *result, GError **error);
/* Writes an encapsulated PDF to PATH, which begins with "%PDF" or is refused. */
void app_study_document_save_async(AppStudy *study, guint document, const char *path,
                                   GAsyncReadyCallback callback, gpointer user);
gboolean app_study_document_save_finish(GAsyncResult *result, GError **error);

/* Decoded frames are kept as they are stored, those of all studies within one limit: a quarter of
 * the memory, or $HILUM_CACHE_MB. With a focus, the frames around it are decoded ahead on all
 * cores, more of them in DIRECTION (1, -1; 0: not known) than behind; what is asked for by
 * app_study_slice() (app_slice.h) always comes before. Each step is a new focus. */
void app_study_focus(AppStudy *study, guint series, guint index, int direction);

typedef struct {
  guint series; /* in focus */
  guint n_images, n_ready, n_failed;
  gboolean is_loading; /* some are being decoded ahead, or will be */
} AppStudyProgress;
/* Called in the caller's thread-default main context, at most ten times a second, and once more
 * when all is done. To be set, and the study to be freed, by the thread of that context. NULL: no
 * more. */
typedef void (*AppStudyListener)(const AppStudyProgress *progress, gpointer user);
void app_study_set_listener(AppStudy *study, AppStudyListener listener, gpointer user);

/* What lies at the edges of a picture: "L", "AR"; "" where the data do not say. */
typedef struct {
  char left[4], right[4], top[4], bottom[4];
} AppLetters;

/* ---- the log ------------------------------------------------------------------------------ */

/* LOG_PATH NULL: the default place. Arrays: of conversations, newest first; of turns, in order. */
JsonNode *app_log_list(const char *log_path, guint limit, GError **error);
JsonNode *app_log_show(const char *log_path, gint64 id, GError **error);

/* ---- phantoms and training ------------------------------------------------------------------ */

/* See app_phantom.h and app_train.h. */

G_END_DECLS
#endif
