/* app_async.h - for the window: the slow calls of a review on threads of their own.
 *
 * Callbacks arrive in the caller's thread-default main context.
 */
#ifndef HILUM_APP_ASYNC_H
#define HILUM_APP_ASYNC_H

#include "app.h"

G_BEGIN_DECLS

/* app_review_new(). OPTIONS is copied. Cancelled meanwhile, it ends soon. */
void app_review_new_async(const AppReviewOptions *options, GCancellable *cancellable,
                          GAsyncReadyCallback callback, gpointer user);
AppReview *app_review_new_finish(GAsyncResult *result, GError **error);

/* app_review_save(): another process may hold the log for a while. REVIEW must live until CALLBACK
 * has been called. */
void app_review_save_async(AppReview *review, GAsyncReadyCallback callback, gpointer user);
gboolean app_review_save_finish(GAsyncResult *result, GError **error);
/* The conversation of the log that the newest turn is in by then; 0: it is in none. */
gint64 app_review_saved_conversation(GAsyncResult *result);

G_END_DECLS
#endif
