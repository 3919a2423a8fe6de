/* review-shots.c - the pictures of a conversation, and what can be done about one beforehand. */
#include <string.h>

#include "review.h"

void
app_said_free(gpointer data)
{
  AppSaid *said = data;

  g_free(said->question);
  g_free(said->answer);
  g_free(said->ids);
  app_turn_id_unref(said->id);
  g_free(said);
}

gint64
app_review_turn_id_locked(AppReview *review, guint turn)
{
  const AppSaid *said = turn < review->said->len ? review->said->pdata[turn] : NULL;

  return said && said->id ? said->id->id : 0;
}

void
app_review_forget(AppReview *review, guint turn)
{
  const guint of = turn > 0 ? turn - 1 : 0; /* the first picture stays to be asked about again */

  if (of < review->said->len) {
    const AppSaid *said = review->said->pdata[of];
    g_ptr_array_set_size(review->shots, (int)said->n_shots);
  }
  g_ptr_array_set_size(review->said, (int)turn);
}

void
app_review_reset_locked(AppReview *review)
{
  /* There is none while the review is being opened. Back to an empty timeline cannot fail. */
  if (review->backend) {
    review->backend->class->rewind(review->backend, 0, NULL);
  }
  app_conversation_unref(review->conversation);
  review->conversation = app_conversation_new(NULL, 0);
  g_ptr_array_set_size(review->shots, 0);
  g_ptr_array_set_size(review->said, 0);
}

AppShot *
app_review_newest_shot(AppReview *review)
{
  return review->shots->len > 0 ? review->shots->pdata[review->shots->len - 1] : NULL;
}

/* ---- which one it is ---------------------------------------------------------------------- */

static gboolean
same_window(const AppWindow *a, const AppWindow *b)
{
  return a->set == b->set && (a->invert != FALSE) == (b->invert != FALSE) &&
         (!a->set ||
          (a->lut == b->lut && (a->lut > 0 || (a->center == b->center && a->width == b->width))));
}

static gboolean
same_region(const AppRegion *a, const AppRegion *b)
{
  return a->width == b->width &&
         (a->width == 0 || (a->x == b->x && a->y == b->y && a->height == b->height));
}

gboolean
app_review_same_image(const AppImageChoice *a, const AppImageChoice *b)
{
  return strcmp(a->path, b->path) == 0 && a->frame == b->frame && a->blank == b->blank &&
         same_window(&a->window, &b->window) && same_region(&a->region, &b->region) &&
         a->turns == b->turns && (a->flip != FALSE) == (b->flip != FALSE);
}

static gboolean
is_current(AppReview *review, const AppImageChoice *choice)
{
  for (guint i = 0; choice && i < review->shots->len; i++) {
    if (app_shot_is_of(review->shots->pdata[i], choice)) {
      return TRUE;
    }
  }
  return !choice;
}

gboolean
app_review_is_refusal(const GError *error)
{
  return error && error->domain == DICOM_ERROR && error->code != DICOM_ERROR_IO;
}

void
app_review_note_choice(AppReview *review, const AppImageChoice *choice, const GError *error)
{
  const AppShot *shot = app_review_newest_shot(review);

  if (!choice || (!review->logbook && !review->notes) || (review->notes && !error)) {
    return;
  }
  if (!review->noted) {
    review->noted = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
  }
  if (error) {
    app_review_note(review, app_note_new_file(choice->path, NULL, error));
  } else if (shot && g_hash_table_add(review->noted, g_strdup(choice->path))) {
    app_review_note(review, app_note_new_file(choice->path, shot->info, NULL));
  }
}

/* The shot of CHOICE, which may have been prepared; it is no longer `ready` then. */
static AppShot *
take_shot(AppReview *review, const AppImageChoice *choice, GError **error)
{
  if (review->ready && app_shot_is_of(review->ready, choice)) {
    return g_steal_pointer(&review->ready);
  }
  return app_shot_new(choice, error);
}

gboolean
app_review_choose(AppReview *review, const AppImageChoice *choice, gboolean add, gboolean *joined,
                  GError **error)
{
  g_autoptr(GError) failure = NULL;
  AppShot *shot;

  *joined = FALSE;
  if (is_current(review, choice)) {
    return TRUE;
  }
  shot = take_shot(review, choice, &failure);
  if (!shot) {
    if (app_review_is_refusal(failure)) {
      app_review_note_choice(review, choice, failure);
    }
    g_propagate_error(error, g_steal_pointer(&failure));
    return FALSE;
  }
  *joined = add && review->said->len > 0;
  if (!*joined) {
    app_review_reset_locked(review);
  }
  g_ptr_array_add(review->shots, shot);
  app_review_note_choice(review, choice, NULL);
  return TRUE;
}

/* ---- beforehand --------------------------------------------------------------------------- */

/* The picture that a question about CHOICE would begin a conversation with; NULL when it would go
 * on with the present one, or when there is no such picture. */
static const AppShot *
beginning(AppReview *review, const AppImageChoice *choice, gboolean *is_good)
{
  AppShot *shot;

  *is_good = TRUE;
  if (is_current(review, choice)) {
    return review->backend->class->turns(review->backend) == 0 ? app_review_newest_shot(review)
                                                               : NULL;
  }
  shot = take_shot(review, choice, NULL);
  g_clear_pointer(&review->ready, app_shot_unref);
  review->ready = shot;
  *is_good = shot != NULL;
  return shot;
}

void
app_review_prepare_now(AppReview *review, const AppImageChoice *choice,
                       gboolean (*go_on)(gpointer user), gpointer user)
{
  const AppBackendClass *class = review->backend->class;
  const AppShot *shot;
  gboolean is_good;

  if (!class->prepare) {
    return;
  }
  g_mutex_lock(&review->work);
  shot = beginning(review, choice, &is_good);
  if (is_good) {
    class->prepare(review->backend, shot, go_on, user);
  }
  g_mutex_unlock(&review->work);
}
