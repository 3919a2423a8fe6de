/* app_presentation.h - presentation states of a study: how somebody saved that its images are to be
 * looked at (PS3.3 A.33). They are applied by AppDrawing.presentation (app_slice.h), on screens
 * alone: the model and exports get the image itself.
 *
 * Thread rule: any thread; what is handed out belongs to the study.
 */
#ifndef HILUM_APP_PRESENTATION_H
#define HILUM_APP_PRESENTATION_H

#include "app.h"

G_BEGIN_DECLS

typedef struct {
  char *name;    /* its description or label; "" */
  char *creator; /* who saved it: "Doe, Jane"; "" */
  char *date;    /* when: YYYYMMDD; "" */
} AppPresentation;

guint app_study_n_presentations(AppStudy *study);
const AppPresentation *app_study_presentation(AppStudy *study, guint presentation);
/* Whether it names image INDEX of SERIES. */
gboolean app_study_presentation_refers(AppStudy *study, guint presentation, guint series,
                                       guint index);
/* The first image that it names; FALSE: there is none. */
gboolean app_study_presentation_image(AppStudy *study, guint presentation, guint *series,
                                      guint *index);

G_END_DECLS
#endif
