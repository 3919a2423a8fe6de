/* image-chip.h - one image of a question, in a few words; opened, what the model sees of it.
 *
 * Signals: "look" (DesktopSeen), which wants its picture; "show", to have the image on the screen;
 * "leave-out".
 */
#ifndef HILUM_DESKTOP_IMAGE_CHIP_H
#define HILUM_DESKTOP_IMAGE_CHIP_H

#include <adwaita.h>

#include "conversation/seen.h"

G_BEGIN_DECLS

#define DESKTOP_TYPE_IMAGE_CHIP (desktop_image_chip_get_type())
G_DECLARE_FINAL_TYPE(DesktopImageChip, desktop_image_chip, DESKTOP, IMAGE_CHIP, AdwBin)

typedef enum {
  DESKTOP_CHIP_NEW,   /* will be sent with the next question */
  DESKTOP_CHIP_ADDED, /* the same, and the user may leave it out again */
  DESKTOP_CHIP_KNOWN, /* was sent: the conversation is about it */
} DesktopChipKind;
GtkWidget *desktop_image_chip_new(void);
/* Costs next to nothing: a chip follows what the hands do to the picture. */
void desktop_image_chip_set(DesktopImageChip *self, DesktopAbout *about, DesktopChipKind kind,
                            gboolean is_shown);
/* Borrowed. */
DesktopAbout *desktop_image_chip_get_about(DesktopImageChip *self);
void desktop_image_chip_open(DesktopImageChip *self);

G_END_DECLS
#endif
