/* told.h - tells the log of settings that a person changes: what they were and what they are. How
 * the window lies on the screen is none. */
#ifndef HILUM_DESKTOP_TOLD_H
#define HILUM_DESKTOP_TOLD_H

#include "app_note.h"
#include "settings/settings.h"

G_BEGIN_DECLS

typedef struct _DesktopTold DesktopTold;
DesktopTold *desktop_told_new(DesktopSettings *settings);
void desktop_told_free(DesktopTold *told);
/* A reference is taken; NULL: there is no log. */
void desktop_told_set_notes(DesktopTold *told, AppNotes *notes);

G_END_DECLS
#endif
