/* export-talk.h - a conversation as people read it, in PDF. Private to the room. */
#ifndef HILUM_APP_EXPORT_TALK_H
#define HILUM_APP_EXPORT_TALK_H

#include "export.h"
#include "paper.h"
#include "private.h"

G_BEGIN_DECLS

typedef struct {
  const AppExportConversation *of;
  gboolean text, patient; /* what leaves: words; all that names the patient */
  const char *head;       /* a signed note, or NULL */
  const char *time;       /* of the export, ISO 8601, UTC */
} AppExportTalk;
/* The same TALK, files and fonts give the same bytes. */
GBytes *app_export_talk_pdf(const AppExportTalk *talk, GError **error);

/* The name of the conversation for people, "Conversation 12"; g_free(). */
char *app_export_talk_title(const StoreConversation *conversation);
/* How an answer was sampled, one fact each, as both PDF and report have it; g_strfreev(). */
char **app_export_talk_parameters(const StoreTurnRow *row);
/* How and what of an image was shown to the model; NULL: nothing to say. g_free(). */
char *app_export_talk_window(const StoreImage *image);
char *app_export_talk_part(const StoreImage *image);
/* What came of a check, one sentence; g_free(). */
char *app_export_talk_check(const StoreCheckRow *row);
/* Who gave it: the full name, else the user's. */
const char *app_export_talk_person(const StoreVerdictRow *row);

/* Pictures of a turn, in the order in which they joined. */
guint app_export_n_images(const StoreTurnRow *row);
const StoreImage *app_export_image(const StoreTurnRow *row, guint i);

/* ---- the picture that the model saw ---------------------------------------------------------- */

typedef struct {
  AppPaperPicture picture; /* words NULL: there is none, and WHY */
  guint width, height;     /* as it was sent; PICTURE may be smaller */
  char *why;
} AppExportPicture;
/* The very picture, by its hash, from its file. PATIENT FALSE: not one whose pixels may name the
 * patient. */
AppExportPicture *app_export_picture_new(const StoreImage *image, guint number, gboolean patient);
void app_export_picture_free(AppExportPicture *picture);

G_END_DECLS
#endif
