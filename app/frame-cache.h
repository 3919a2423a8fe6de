/* frame-cache.h - decoded frames, kept as they are stored: one limit in bytes for the process.
 *
 * Numbers of images say nothing: one mammogram is as big as a hundred CT slices. All windows and
 * studies share the limit, which is a quarter of the memory of the machine, or $HILUM_CACHE_MB.
 *
 * Frames belong to a group, the images of one series. Which is given up for another: first those of
 * the groups that nobody looks at, of the one least recently looked at; then, wherever somebody
 * looks, the one that is the longest way from there (app_frame_rank()).
 *
 * The group also knows which image is being decoded, so that nobody decodes it a second time, and
 * which could not be.
 *
 * Thread rule: any thread; a group is freed when no call is under way.
 */
#ifndef HILUM_APP_FRAME_CACHE_H
#define HILUM_APP_FRAME_CACHE_H

#include <gio/gio.h>

#include "dicom.h"

G_BEGIN_DECLS

typedef struct _AppFrameGroup AppFrameGroup;

AppFrameGroup *app_frame_group_new(guint n_images);
void app_frame_group_free(AppFrameGroup *group);

/* How far image INDEX is from CENTRE for hands that go in DIRECTION (-1, 0: not known, 1): so many
 * steps, and three times as many behind. */
guint64 app_frame_rank(guint index, guint centre, int direction);

/* Somebody looks at image INDEX of GROUP, and goes in DIRECTION. */
void app_frame_group_focus(AppFrameGroup *group, guint index, int direction);
/* Nobody looks any more; its frames stay until others need the room. */
void app_frame_group_leave(AppFrameGroup *group);

typedef enum {
  APP_FRAME_READY,  /* *FRAME is the caller's reference */
  APP_FRAME_TO_DO,  /* the caller decodes it, and owes app_frame_group_put() */
  APP_FRAME_FAILED, /* it could not be decoded, or the call was cancelled: *ERROR */
} AppFrameState;
/* Image INDEX for the screen. Waits as long as another thread decodes it. What failed for the
 * file's own sake is not tried again; a file that could not be opened is. */
AppFrameState app_frame_group_get(AppFrameGroup *group, guint index, GCancellable *cancellable,
                                  DicomFrame **frame, GError **error);
/* Image INDEX if it is ready, a reference; NULL: it is not. Never waits for one. */
DicomFrame *app_frame_group_peek(AppFrameGroup *group, guint index);
/* The image that is nearest to the focus, not decoded, not failed, and worth its room; the caller
 * decodes it, and owes app_frame_group_put(). FALSE: there is none. */
gboolean app_frame_group_next(AppFrameGroup *group, guint *index);
/* The end of what was to do: FRAME, or what is wrong with it, or neither if it was not done. The
 * frame is kept if there is room for it. */
void app_frame_group_put(AppFrameGroup *group, guint index, DicomFrame *frame, const GError *error);

typedef struct {
  guint n_ready, n_failed, n_in_work;
  gboolean has_next; /* app_frame_group_next() would find one */
} AppFrameCount;
AppFrameCount app_frame_group_count(AppFrameGroup *group);

/* ---- the whole ---------------------------------------------------------------------------- */

typedef struct {
  gsize limit, n_bytes;
  guint n_frames;
} AppFrameCacheUse;
AppFrameCacheUse app_frame_cache_use(void);
/* BYTES 0: the default. */
void app_frame_cache_set_limit(gsize bytes);
/* The system is short of memory, as badly as LEVEL of GMemoryMonitorWarningLevel says: gives half
 * of what is held back, or more, and takes no more than what is left for a while. */
void app_frame_cache_relieve(guint level);
/* After much was given up: small frames lie on the heap, which keeps what it gets back. */
void app_frame_cache_trim(void);
/* Listens to the system's warnings from now on, in the main context of the calling thread. */
void app_frame_cache_watch(void);

G_END_DECLS
#endif
