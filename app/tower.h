/* tower.h - kinds of pictures by their likeness to examples, as a vision tower sees them. Not for
 * others.
 *
 * The tower is that of a model (or a CLIP checkpoint in its place) with the same code that answers
 * questions. It has no text half here: classes are the means of example pictures, not of prompts.
 *
 * Thread rule: app_tower_look() from any thread; one picture at a time goes through the tower. */
#ifndef HILUM_APP_TOWER_H
#define HILUM_APP_TOWER_H

#include "dicom.h"
#include "pmc.h"

G_BEGIN_DECLS

typedef struct _AppTower AppTower;

/* MODEL: a model; VISION: a CLIP checkpoint in its tower's place, or NULL. EXAMPLES: a folder with
 * folders of pictures that are called as DataDomain has it, and "none" for other kinds; two or more
 * of them, each with two pictures at least. */
AppTower *app_tower_new(const char *model, const char *vision, const char *examples,
                        guint n_threads, GError **error);
void app_tower_free(AppTower *tower);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(AppTower, app_tower_free)
guint app_tower_n_examples(const AppTower *tower);
/* Of the examples, the share that the others would have told right (each left out in turn). */
double app_tower_accuracy(const AppTower *tower);
/* Sets the tower's part of SEEN; leaves it on failure. */
void app_tower_look(AppTower *tower, const DicomPicture *picture, PmcPicture *seen);
/* PATH as it is seen by the model and by people, read by a decoding helper. */
DicomPicture *app_tower_picture(const char *path, GError **error);

G_END_DECLS
#endif
