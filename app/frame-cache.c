/* frame-cache.c - decoded frames within a limit of bytes; see frame-cache.h.
 *
 * `lock` guards everything: the cache, all groups, their slots. Nothing slow happens under it. The
 * cache is one for the process and is never freed. */
#include "frame-cache.h"

#include <unistd.h>

#define BEHIND 3 /* a step behind counts like so many ahead */
/* Where the memory of the machine cannot be found out. */
#define FALLBACK_BYTES ((gsize)512 << 20)
/* After a warning that memory is short. To give back less than the last would help nobody. */
#define RELIEF_US (60 * G_USEC_PER_SEC)
#define RELIEF_BYTES ((gsize)4 << 20)

typedef enum { EMPTY, IN_WORK, READY, FAILED } State;

typedef struct {
  DicomFrame *frame; /* READY */
  GError *error;     /* FAILED */
  gsize n_bytes;     /* known from when it was decoded; 0: not known */
  State state;
} Slot;

/* A file may claim more frames than it has; only what is touched takes memory. */
#define CHUNK 256

struct _AppFrameGroup {
  guint n;
  Slot **chunks; /* of CHUNK slots each, NULL as long as all are as in empty_slot */
  guint n_ready, n_failed, n_in_work;
  gsize typical; /* bytes of the frame that came last */

  gboolean focused;
  guint centre; /* looked at last */
  int direction;
  guint64 used; /* when, by the cache's clock */
  /* None within so many steps ahead of the centre, and behind it, is to be decoded. */
  guint seen_ahead, seen_behind;
};

typedef struct {
  GMutex lock;
  GCond done; /* some image is not IN_WORK any more */
  GPtrArray *groups;
  guint64 clock;
  gsize limit, normal_limit;
  gint64 relief_until; /* monotonic; 0: none */
  gsize n_bytes;
  guint n_frames;
} Cache;

/* What a frame is worth: the one that is to go first is the worst. */
typedef struct {
  AppFrameGroup *group;
  guint index;
  guint64 rank;
} Place;

static const Slot empty_slot = {NULL, NULL, 0, EMPTY};

static const Slot *
peek(const AppFrameGroup *group, guint index)
{
  const Slot *chunk = group->chunks[index / CHUNK];

  return chunk ? &chunk[index % CHUNK] : &empty_slot;
}

static Slot *
touch(AppFrameGroup *group, guint index)
{
  Slot **chunk = &group->chunks[index / CHUNK];

  if (!*chunk) {
    *chunk = g_new0(Slot, CHUNK);
  }
  return &(*chunk)[index % CHUNK];
}

static gsize
default_limit(void)
{
  const char *text = g_getenv("HILUM_CACHE_MB");
  guint64 megabytes = text ? g_ascii_strtoull(text, NULL, 10) : 0;
  long pages = sysconf(_SC_PHYS_PAGES), page = sysconf(_SC_PAGESIZE);

  if (megabytes > 0 && megabytes <= G_MAXSIZE >> 20) {
    return (gsize)megabytes << 20;
  }
  return pages > 0 && page > 0 ? (gsize)pages / 4 * (gsize)page : FALLBACK_BYTES;
}

static Cache *
the_cache(void)
{
  static gsize once = 0;

  if (g_once_init_enter(&once)) {
    Cache *cache = g_new0(Cache, 1);

    g_mutex_init(&cache->lock);
    g_cond_init(&cache->done);
    cache->groups = g_ptr_array_new();
    cache->limit = cache->normal_limit = default_limit();
    g_once_init_leave(&once, (gsize)cache);
  }
  return (Cache *)once;
}

/* ---- what is worth what ------------------------------------------------------------------- */

guint64
app_frame_rank(guint index, guint centre, int direction)
{
  guint64 steps = index > centre ? index - centre : centre - index;
  gboolean behind = (index < centre && direction > 0) || (index > centre && direction < 0);

  return behind ? steps * BEHIND : steps;
}

static Place
place_of(AppFrameGroup *group, guint index)
{
  return (Place){group, index, app_frame_rank(index, group->centre, group->direction)};
}

static gboolean
is_worse(const Place *a, const Place *b)
{
  if (a->group->focused != b->group->focused) {
    return b->group->focused;
  }
  if (a->group == b->group || a->group->focused) {
    return a->rank > b->rank;
  }
  return a->group->used < b->group->used;
}

/* The ready frame of GROUP that is farthest from its centre: one of the two outermost. */
static gboolean
find_farthest(AppFrameGroup *group, Place *farthest)
{
  guint first = 0, last = group->n;

  if (group->n_ready == 0) {
    return FALSE;
  }
  while (peek(group, first)->state != READY) {
    first++;
  }
  while (peek(group, last - 1)->state != READY) {
    last--;
  }
  Place a = place_of(group, first), b = place_of(group, last - 1);
  *farthest = is_worse(&a, &b) ? a : b;
  return TRUE;
}

static gboolean
find_worst(Cache *cache, Place *worst)
{
  gboolean found = FALSE;
  Place place;

  for (guint i = 0; i < cache->groups->len; i++) {
    if (find_farthest(cache->groups->pdata[i], &place) && (!found || is_worse(&place, worst))) {
      *worst = place;
      found = TRUE;
    }
  }
  return found;
}

/* ---- keeping and giving up ---------------------------------------------------------------- */

static void
forget_seen(AppFrameGroup *group)
{
  group->seen_ahead = group->seen_behind = 0;
}

/* The frame's reference is the caller's, who gives it up without the lock. */
static DicomFrame *
take_out(Cache *cache, AppFrameGroup *group, guint index)
{
  Slot *slot = touch(group, index);

  cache->n_bytes -= slot->n_bytes;
  cache->n_frames--;
  group->n_ready--;
  slot->state = EMPTY;
  forget_seen(group);
  return g_steal_pointer(&slot->frame);
}

/* Gives up the worst frames down to BYTES, as far as they are worse than NEW (NULL: all are). */
static void
shrink(Cache *cache, gsize bytes, const Place *new, GPtrArray *given_up)
{
  Place worst;

  while (cache->n_bytes > bytes && find_worst(cache, &worst) && (!new || is_worse(&worst, new))) {
    g_ptr_array_add(given_up, take_out(cache, worst.group, worst.index));
  }
}

static void
end_relief(Cache *cache)
{
  if (cache->relief_until && g_get_monotonic_time() > cache->relief_until) {
    cache->relief_until = 0;
    cache->limit = cache->normal_limit;
  }
}

/* A guess, for frames that have not been seen yet. */
static gboolean
has_room(Cache *cache, AppFrameGroup *group, guint index)
{
  gsize known = peek(group, index)->n_bytes, n_bytes = known ? known : group->typical;
  Place new = place_of(group, index), worst;

  end_relief(cache);
  if (n_bytes > cache->limit) {
    return FALSE;
  }
  return cache->n_bytes <= cache->limit - n_bytes ||
         (find_worst(cache, &worst) && is_worse(&worst, &new));
}

static void
keep(Cache *cache, AppFrameGroup *group, guint index, DicomFrame *frame, GPtrArray *given_up)
{
  Slot *slot = touch(group, index);
  Place new = place_of(group, index);

  end_relief(cache);
  slot->n_bytes = group->typical = dicom_frame_bytes(frame);
  if (slot->n_bytes > cache->limit) {
    return;
  }
  shrink(cache, cache->limit - slot->n_bytes, &new, given_up);
  if (cache->n_bytes <= cache->limit - slot->n_bytes) {
    slot->frame = dicom_frame_ref(frame);
    slot->state = READY;
    group->n_ready++;
    cache->n_bytes += slot->n_bytes;
    cache->n_frames++;
  }
}

static GPtrArray *
given_up_new(void)
{
  return g_ptr_array_new_with_free_func((GDestroyNotify)dicom_frame_unref);
}

/* ---- groups ------------------------------------------------------------------------------- */

AppFrameGroup *
app_frame_group_new(guint n_images)
{
  Cache *cache = the_cache();
  AppFrameGroup *group = g_new0(AppFrameGroup, 1);

  group->n = n_images;
  group->chunks = g_new0(Slot *, n_images / CHUNK + 1);
  g_mutex_lock(&cache->lock);
  g_ptr_array_add(cache->groups, group);
  g_mutex_unlock(&cache->lock);
  return group;
}

void
app_frame_group_free(AppFrameGroup *group)
{
  Cache *cache = the_cache();

  g_mutex_lock(&cache->lock);
  g_ptr_array_remove_fast(cache->groups, group);
  for (guint i = 0; i < group->n; i++) {
    if (peek(group, i)->state == READY) {
      cache->n_bytes -= peek(group, i)->n_bytes;
      cache->n_frames--;
    }
  }
  g_mutex_unlock(&cache->lock);
  for (guint i = 0; i < group->n; i++) {
    if (peek(group, i)->frame || peek(group, i)->error) {
      g_clear_pointer(&touch(group, i)->frame, dicom_frame_unref);
      g_clear_error(&touch(group, i)->error);
    }
  }
  for (guint i = 0; i <= group->n / CHUNK; i++) {
    g_free(group->chunks[i]);
  }
  g_free(group->chunks);
  g_free(group);
}

void
app_frame_group_focus(AppFrameGroup *group, guint index, int direction)
{
  Cache *cache = the_cache();

  g_mutex_lock(&cache->lock);
  group->focused = TRUE;
  group->centre = index;
  group->direction = direction;
  group->used = ++cache->clock;
  forget_seen(group);
  g_mutex_unlock(&cache->lock);
}

void
app_frame_group_leave(AppFrameGroup *group)
{
  Cache *cache = the_cache();

  g_mutex_lock(&cache->lock);
  group->focused = FALSE;
  g_mutex_unlock(&cache->lock);
}

static void
wake_waiting(GCancellable *cancellable, gpointer data)
{
  Cache *cache = data;

  g_mutex_lock(&cache->lock);
  g_cond_broadcast(&cache->done);
  g_mutex_unlock(&cache->lock);
}

static AppFrameState
look(Cache *cache, AppFrameGroup *group, Slot *slot, DicomFrame **frame, GError **error)
{
  if (slot->state == READY) {
    *frame = dicom_frame_ref(slot->frame);
    return APP_FRAME_READY;
  }
  if (slot->state == FAILED && !g_error_matches(slot->error, DICOM_ERROR, DICOM_ERROR_IO)) {
    g_propagate_error(error, g_error_copy(slot->error));
    return APP_FRAME_FAILED;
  }
  if (slot->state == FAILED) {
    g_clear_error(&slot->error);
    group->n_failed--;
  }
  slot->state = IN_WORK;
  group->n_in_work++;
  return APP_FRAME_TO_DO;
}

AppFrameState
app_frame_group_get(AppFrameGroup *group, guint index, GCancellable *cancellable,
                    DicomFrame **frame, GError **error)
{
  Cache *cache = the_cache();
  Slot *slot;
  AppFrameState state = APP_FRAME_FAILED;
  gulong handler =
      cancellable ? g_cancellable_connect(cancellable, G_CALLBACK(wake_waiting), cache, NULL) : 0;

  g_mutex_lock(&cache->lock);
  slot = touch(group, index);
  while (slot->state == IN_WORK && !g_cancellable_is_cancelled(cancellable)) {
    g_cond_wait(&cache->done, &cache->lock);
  }
  if (!g_cancellable_set_error_if_cancelled(cancellable, error)) {
    group->used = ++cache->clock;
    if (!group->focused) {
      group->centre = index;
    }
    state = look(cache, group, slot, frame, error);
  }
  g_mutex_unlock(&cache->lock);
  g_cancellable_disconnect(cancellable, handler);
  return state;
}

DicomFrame *
app_frame_group_peek(AppFrameGroup *group, guint index)
{
  Cache *cache = the_cache();
  const Slot *slot;
  DicomFrame *frame = NULL;

  g_mutex_lock(&cache->lock);
  slot = peek(group, index);
  if (slot->state == READY) {
    frame = dicom_frame_ref(slot->frame);
    group->used = ++cache->clock;
    if (!group->focused) {
      group->centre = index;
    }
  }
  g_mutex_unlock(&cache->lock);
  return frame;
}

/* To be decoded, and not known to be larger than all that can be kept. */
static gboolean
is_open(const Cache *cache, const Slot *slot)
{
  return slot->state == EMPTY && slot->n_bytes <= cache->limit;
}

/* The nearest open image on one side, more than SEEN steps away; steps away, or 0. */
static guint
nearest_open(const Cache *cache, const AppFrameGroup *group, gboolean up, guint *seen)
{
  guint room = up ? group->n - 1 - group->centre : group->centre;

  for (guint steps = *seen + 1; steps <= room; steps++) {
    guint index = up ? group->centre + steps : group->centre - steps;

    if (is_open(cache, peek(group, index))) {
      *seen = steps - 1;
      return steps;
    }
  }
  *seen = room;
  return 0;
}

static gboolean
find_next(Cache *cache, AppFrameGroup *group, guint *index)
{
  gboolean up = group->direction >= 0;
  guint ahead, behind;

  if (!group->focused) {
    return FALSE;
  }
  if (is_open(cache, peek(group, group->centre))) {
    *index = group->centre;
    return TRUE;
  }
  ahead = nearest_open(cache, group, up, &group->seen_ahead);
  behind = nearest_open(cache, group, !up, &group->seen_behind);
  if (!ahead && !behind) {
    return FALSE;
  }
  guint on = up ? group->centre + ahead : group->centre - ahead;
  guint back = up ? group->centre - behind : group->centre + behind;
  if (!behind || (ahead && app_frame_rank(on, group->centre, group->direction) <=
                               app_frame_rank(back, group->centre, group->direction))) {
    *index = on;
  } else {
    *index = back;
  }
  return has_room(cache, group, *index);
}

gboolean
app_frame_group_next(AppFrameGroup *group, guint *index)
{
  Cache *cache = the_cache();
  gboolean found;

  g_mutex_lock(&cache->lock);
  found = find_next(cache, group, index);
  if (found) {
    touch(group, *index)->state = IN_WORK;
    group->n_in_work++;
  }
  g_mutex_unlock(&cache->lock);
  return found;
}

void
app_frame_group_put(AppFrameGroup *group, guint index, DicomFrame *frame, const GError *error)
{
  Cache *cache = the_cache();
  g_autoptr(GPtrArray) given_up = given_up_new(); /* freed without the lock */
  Slot *slot;

  g_mutex_lock(&cache->lock);
  slot = touch(group, index);
  g_assert(slot->state == IN_WORK);
  group->n_in_work--;
  slot->state = EMPTY;
  if (frame) {
    keep(cache, group, index, frame, given_up);
  } else if (error) {
    slot->error = g_error_copy(error);
    slot->state = FAILED;
    group->n_failed++;
  }
  if (slot->state == EMPTY) {
    forget_seen(group);
  }
  g_cond_broadcast(&cache->done);
  g_mutex_unlock(&cache->lock);
}

AppFrameCount
app_frame_group_count(AppFrameGroup *group)
{
  Cache *cache = the_cache();
  AppFrameCount count;
  guint next;

  g_mutex_lock(&cache->lock);
  count = (AppFrameCount){group->n_ready, group->n_failed, group->n_in_work,
                          find_next(cache, group, &next)};
  g_mutex_unlock(&cache->lock);
  return count;
}

/* ---- the whole ---------------------------------------------------------------------------- */

AppFrameCacheUse
app_frame_cache_use(void)
{
  Cache *cache = the_cache();
  AppFrameCacheUse use;

  g_mutex_lock(&cache->lock);
  use = (AppFrameCacheUse){cache->limit, cache->n_bytes, cache->n_frames};
  g_mutex_unlock(&cache->lock);
  return use;
}

void
app_frame_cache_set_limit(gsize bytes)
{
  Cache *cache = the_cache();
  g_autoptr(GPtrArray) given_up = given_up_new();

  g_mutex_lock(&cache->lock);
  cache->limit = cache->normal_limit = bytes ? bytes : default_limit();
  cache->relief_until = 0;
  shrink(cache, cache->limit, NULL, given_up);
  g_mutex_unlock(&cache->lock);
}

void
app_frame_cache_relieve(guint level)
{
  Cache *cache = the_cache();
  GPtrArray *given_up = given_up_new();
  guint parts = level >= G_MEMORY_MONITOR_WARNING_LEVEL_CRITICAL ? 16
                : level >= G_MEMORY_MONITOR_WARNING_LEVEL_MEDIUM ? 4
                                                                 : 2;

  g_mutex_lock(&cache->lock);
  cache->limit = MIN(MAX(cache->n_bytes / parts, RELIEF_BYTES), cache->normal_limit);
  cache->relief_until = g_get_monotonic_time() + RELIEF_US;
  shrink(cache, cache->limit, NULL, given_up);
  g_mutex_unlock(&cache->lock);
  g_ptr_array_unref(given_up);
  app_frame_cache_trim();
}
