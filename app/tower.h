/* tower.h - kinds of pictures, as a vision tower sees them. Not for others.
 *
 * A CLIP checkpoint (BiomedCLIP, CLIP) has a tower of texts beside it, and a picture is of the
 * class whose prompts are most like it (zero-shot classification, arXiv 2103.00020, 3.1). The tower
 * of a model has none: then, and whenever examples are given, classes are the means of example
 * pictures.
 *
 * Thread rule: app_tower_look() from any thread; one picture at a time goes through the tower. */
#ifndef HILUM_APP_TOWER_H
#define HILUM_APP_TOWER_H

#include <json-glib/json-glib.h>

#include "dicom.h"
#include "pmc.h"

G_BEGIN_DECLS

typedef struct _AppTower AppTower;

/* MODEL: a CLIP checkpoint, or a model (NULL: the demo model); VISION: a CLIP checkpoint in the
 * place of a model's tower, or NULL. EXAMPLES: a folder with folders of pictures that are called as
 * DataDomain has it, and "none" for other kinds; two or more of them, each with two pictures at
 * least; NULL: by prompts, which only a CLIP checkpoint can. */
AppTower *app_tower_new(const char *model, const char *vision, const char *examples,
                        guint n_threads, GError **error);
void app_tower_free(AppTower *tower);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(AppTower, app_tower_free)
/* {by: "prompts" or "examples", examples, left_out_accuracy (share of the examples that the others
 * tell right, each left out in turn), classes, prompts}; null what does not go with BY. */
JsonObject *app_tower_report(const AppTower *tower);
/* Whether its files were changed or cut short while it looked: then what it said means nothing. */
gboolean app_tower_is_lost(const AppTower *tower, GError **error);
/* Sets the tower's part of SEEN; leaves it on failure. */
void app_tower_look(AppTower *tower, const DicomPicture *picture, PmcPicture *seen);
/* PATH as it is seen by the model and by people, read by a decoding helper. */
DicomPicture *app_tower_picture(const char *path, GError **error);

G_END_DECLS
#endif
