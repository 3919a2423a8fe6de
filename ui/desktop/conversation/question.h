/* question.h - a question as the window asks it, and asks it again. */
#ifndef HILUM_DESKTOP_QUESTION_H
#define HILUM_DESKTOP_QUESTION_H

#include "conversation/about.h"

G_BEGIN_DECLS

typedef struct {
  char *text;       /* NULL: describe */
  AppLength length; /* of a description */
  DesktopAbout *about;
  gboolean adds; /* the image joins the conversation, instead of beginning another */
  AppSampling sampling;
} DesktopQuestion;

/* TEXT and ABOUT are copied or referenced. */
DesktopQuestion *desktop_question_new(const char *text, AppLength length, DesktopAbout *about);
DesktopQuestion *desktop_question_copy(const DesktopQuestion *question);
void desktop_question_free(DesktopQuestion *question);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(DesktopQuestion, desktop_question_free)
/* What a person reads of it before it is known in which words a description was asked for. */
const char *desktop_question_title(const DesktopQuestion *question);

/* Questions that suit an image, as _() takes them; ends with NULL. SEVERAL: more than one image is
 * in the conversation. */
const char *const *desktop_question_suggestions(const char *modality, const char *body_part,
                                                gboolean several);

G_END_DECLS
#endif
