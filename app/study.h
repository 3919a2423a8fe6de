/* study.h - what the files behind the window's pictures share: study.c, study-frame.c,
 * study-document.c, prefetch.c. Not for others. */
#ifndef HILUM_APP_STUDY_H
#define HILUM_APP_STUDY_H

#include "frame-cache.h"
#include "private.h"
#include "record-note.h"

G_BEGIN_DECLS

/* What the header of a file says beside the picture. */
typedef struct {
  DicomInfo *info;
  char **warnings;       /* of the gate */
  AppLetters letters;    /* of every frame, if not: */
  GArray *frame_letters; /* of AppLetters, one for each frame; or NULL */
} AppFacts;              /* g_atomic_rc_box */

typedef struct {
  AppSeriesInfo info;    /* first: handed out */
  DicomSeries *series;   /* borrowed from the scan */
  guint *starts;         /* starts[i]: images before item i */
  AppFrameGroup *frames; /* one for each image */
  AppFacts **facts;      /* of each item, NULL until one of its frames is decoded; under LOCK */
  GArray *keys;          /* of guint, in order: images that are marked; NULL: none; under LOCK */
} AppStudySeries;

/* For tests: image INDEX of SERIES is about to be decoded by the calling thread. */
typedef void (*AppDecodeHook)(guint series, guint index, gboolean ahead, gpointer user);

struct _AppStudy {
  gint n_refs; /* atomic */
  DicomScan *scan;
  GPtrArray *series;        /* of AppStudySeries */
  GPtrArray *documents;     /* of AppDocument */
  GPtrArray *presentations; /* of study-presentation.c */
  char *refused, *summary;

  GMutex lock;  /* of what follows, and of facts */
  GQueue looks; /* of AppSlice, slice-look.c */
  guint focus;  /* series */
  AppStudyListener listener;
  gpointer listener_user;
  GMainContext *context;
  GSource *telling; /* the next call of the listener */

  char *key_folder;     /* where marks are remembered, or NULL; set once */
  GMutex key_lock;      /* held while they are read and written, and of: */
  gboolean keys_loaded; /* what was remembered is marked */

  AppDecodeHook hook;
  gpointer hook_user;
};

/* study.c */
/* NOTES (may be NULL) keep what was opened and refused. */
AppStudy *app_study_open_while(const char *path, AppNotes *notes, GCancellable *cancellable,
                               GError **error);
/* study-find.c: FILE with what lies beside it, see app_study_open_around_async(). */
AppStudy *app_study_open_around_while(const char *file, guint frame, AppNotes *notes,
                                      GCancellable *cancellable, GError **error);
AppStudy *app_study_ref(AppStudy *study);
void app_study_unref(AppStudy *study);

/* A person name for people (PS3.5 6.2.1.1): "Doe^Jane^Q=..." is "Doe, Jane Q". g_free(). */
char *app_person_text(const char *name);

/* study-presentation.c. Of all presentation states of SCAN, which must outlive it. */
GPtrArray *app_presentations_new(const DicomScan *scan);
const char *app_study_presentation_path(AppStudy *study, guint presentation);

/* study-frame.c. Where image INDEX of SERIES lies: its item, its frame in the file. */
const DicomSeriesItem *app_study_locate(const AppStudySeries *series, guint index, guint *item,
                                        guint *frame);
gboolean app_study_has_facts(AppStudy *study, AppStudySeries *series, guint item);
/* Takes INFO; the first one stays. */
void app_study_take_facts(AppStudy *study, AppStudySeries *series, guint item, DicomInfo *info);
/* NULL: not known yet. app_facts_unref(). */
AppFacts *app_study_ref_facts(AppStudy *study, AppStudySeries *series, guint item);
/* The frame of image INDEX of series SERIES, which there is: from the cache, or decoded now. */
DicomFrame *app_study_frame(AppStudy *study, guint series, guint index, GCancellable *cancellable,
                            GError **error);
/* Of a frame of the file. */
AppLetters app_facts_letters(const AppFacts *facts, guint frame);
void app_facts_unref(AppFacts *facts);

/* prefetch.c. Forgets STUDY: its frames are not decoded ahead any more. */
void app_prefetch_forget(AppStudy *study);
/* Something has changed that the listener should hear of. */
void app_study_note_progress(AppStudy *study);
/* For tests: as many threads; 0: one for each helper. */
void app_prefetch_set_threads(guint n);

G_END_DECLS
#endif
