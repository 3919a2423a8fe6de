/* backend.h - who answers: one conversation with a model, wherever the model runs.
 *
 * A table of functions and nothing else, so that a review does not ask at every step whether its
 * model is in this program (backend-local.c) or on a server (backend-remote.c).
 *
 * Thread rule: one thread at a time, app_backend_stop() from any.
 */
#ifndef HILUM_APP_BACKEND_H
#define HILUM_APP_BACKEND_H

#include "cache.h"
#include "private.h"

G_BEGIN_DECLS

typedef struct _AppBackend AppBackend;

/* One question. Earlier turns are the backend's own to remember. */
typedef struct {
  const AppShot *shot;  /* the picture that joins the conversation with this question, or NULL */
  const char *question; /* with the answer form's suffix */
  AppSampling sampling; /* max_tokens is set */
} AppBackendQuestion;

/* Called from the thread that asks. */
typedef struct {
  void (*progress)(const char *phase, guint done, guint total, gpointer user);
  gboolean (*text)(const char *bytes, gsize length, gpointer user); /* FALSE: stop */
  gpointer user;
} AppBackendListener;

typedef void (*AppBackendTold)(const StoreModel *model, gpointer user);

typedef struct {
  void (*free)(AppBackend *backend);
  /* Who answers, as far as is known now; may wait. Borrowed until the next call. */
  gboolean (*describe)(AppBackend *backend, StoreModel *model, GError **error);
  const char *(*name)(AppBackend *backend); /* at once */
  guint (*turns)(AppBackend *backend);
  gboolean (*rewind)(AppBackend *backend, guint turn, GError **error); /* to 0: cannot fail */
  /* On error the conversation is as before. An answer that was stopped or broke off after some text
   * is a finished turn (stop "cancelled"; "interrupted", and *WHY, g_free(), says by what). ANSWER:
   * model_answer_clear(). */
  gboolean (*ask)(AppBackend *backend, const AppBackendQuestion *question,
                  const AppBackendListener *listener, ModelAnswer *answer, char **why,
                  GError **error);
  /* A turn that was said before joins the conversation, without asking: SHOT and QUESTION as above;
   * IDS of ANSWER, or NULL. On error the conversation is as before. */
  gboolean (*recite)(AppBackend *backend, const AppShot *shot, const char *question,
                     const char *answer, const gint32 *ids, gsize n_ids, GError **error);
  /* An empty conversation with the same model, which must be freed before this one. It has room for
   * what was said here and MORE tokens, and takes over what was computed for FIRST, the first
   * picture (or NULL). */
  AppBackend *(*another)(AppBackend *backend, const AppShot *first, guint more, GError **error);
  /* Ends what ask() or prepare() does. Forgotten when nothing is under way. */
  void (*stop)(AppBackend *backend);
  /* Does beforehand what the next question will need: SHOT is the picture of the next conversation,
   * or NULL to go on with this one. Looks at GO_ON between two pieces of work, and ends without a
   * word of what went wrong: the question will tell. NULL: nothing can be done beforehand. */
  void (*prepare)(AppBackend *backend, const AppShot *shot, gboolean (*go_on)(gpointer user),
                  gpointer user);
  /* Writes what is worth keeping for another day; when nobody waits, and before another picture.
   * NULL: nothing is kept. */
  void (*settle)(AppBackend *backend);
  /* What the tower gets of SHOT, or what is sent of it. From any thread, at any time. */
  AppPicture *(*see)(AppBackend *backend, const AppShot *shot, GError **error);
  /* TOLD gets what describe() says once it is known without waiting: on any thread, once, now or
   * later, never after free(). Without a hash: it could not be taken, or not to its end. */
  void (*tell)(AppBackend *backend, AppBackendTold told, gpointer user);
  /* A text that answers may repeat: see AppSampling.lookup. NULL: of no use. */
  void (*expect)(AppBackend *backend, const char *text);
} AppBackendClass;

struct _AppBackend {
  const AppBackendClass *class;
};

static inline void
app_backend_free(AppBackend *backend)
{
  backend->class->free(backend);
}
G_DEFINE_AUTOPTR_CLEANUP_FUNC(AppBackend, app_backend_free)

/* TO takes over what FROM computed of its first POSITIONS (hand-over.c). FROM does nothing
 * meanwhile. Without a word where it fails. */
void app_hand_over(ModelSession *from, ModelSession *to, guint positions);

/* The model in this program; loads it. CACHE is taken over, also on failure; NULL: nothing is kept
 * on disk. */
AppBackend *app_backend_local_new(const AppModelOptions *options, AppCache *cache, GError **error);
/* A model on a server; nothing is sent before the first question. */
AppBackend *app_backend_remote_new(const AppRemoteOptions *options, GError **error);

G_END_DECLS
#endif
