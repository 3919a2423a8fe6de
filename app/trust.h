/* trust.h - what the files about trust in an answer share. */
#ifndef HILUM_APP_TRUST_PRIVATE_H
#define HILUM_APP_TRUST_PRIVATE_H

#include "app_trust.h"
#include "private.h"

G_BEGIN_DECLS

/* For reading; one of an older version is brought up to date first. LOG_PATH NULL: the default
 * place. */
StoreLog *app_log_open(const char *log_path, GError **error);
/* The log at LOG_PATH (NULL: the default place) with the secrets of this session; without READ_ONLY
 * it is made where there is none. */
StoreLog *app_log_open_at(const char *log_path, gboolean read_only, GError **error);
/* Whether there is one, or something in its place. */
gboolean app_log_is_there(const char *path);
/* LOG_PATH, or the default place for NULL; g_free(). */
char *app_log_place(const char *log_path);
/* For writing, as it lies there: none is made. */
StoreLog *app_log_open_there(const char *log_path, GError **error);
/* A conversation of the log, and how many of its turns belong to the timeline. */
typedef struct {
  gint64 id;
  guint n_turns;
} AppTimelinePart;
/* All that a conversation goes on from: its turns behind those of the conversations that it
 * branches off (timeline.c). */
typedef struct {
  GArray *parts;    /* of AppTimelinePart, the oldest first */
  GPtrArray *rows;  /* of StoreTurnRow, in order */
  GPtrArray *lists; /* which own them */
} AppTimeline;
AppTimeline *app_timeline_read(StoreLog *log, gint64 conversation, GError **error);
void app_timeline_free(AppTimeline *line);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(AppTimeline, app_timeline_free)

/* A turn as app_log_show() has it. */
JsonObject *app_log_turn_object(StoreLog *log, const StoreTurnRow *row, GError **error);
/* {check, answers, same, agreement, depends_on_image} */
JsonObject *app_check_object(const StoreCheck *check);
/* TEXT's letters and digits in lower case, words apart by one space. g_free(). */
char *app_check_words(const char *text);
/* Mean of Jaccard's index over all pairs of TEXTS (ends with NULL), by their words; 1 without a
 * pair. *SAME: whether all have the same words in the same order. */
double app_check_agreement(const char *const *texts, gboolean *same);
/* Sets "verdicts" and "checks" of TURN. */
gboolean app_json_set_trust(JsonObject *object, StoreLog *log, gint64 turn, GError **error);
/* Sets "seed": as text above 2^63, which JSON's numbers of most readers do not hold. */
void app_json_set_seed(JsonObject *object, guint64 seed);

G_END_DECLS
#endif
