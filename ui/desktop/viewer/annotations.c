/* annotations.c - all that is drawn on the images of a study. */
#include "viewer/annotations.h"

struct _DesktopAnnotations {
  GObject parent;

  guint last_id;
  GPtrArray *all; /* of Kept, oldest first */
};

typedef struct {
  DesktopAnnotation annotation;
  char *text; /* NULL: not worked out */
} Kept;

G_DEFINE_FINAL_TYPE(DesktopAnnotations, desktop_annotations, G_TYPE_OBJECT)

static guint signal_changed;

static void
kept_free(gpointer data)
{
  Kept *kept = data;

  g_free(kept->text);
  g_free(kept);
}

DesktopAnnotations *
desktop_annotations_new(void)
{
  return g_object_new(DESKTOP_TYPE_ANNOTATIONS, NULL);
}

static Kept *
find(DesktopAnnotations *self, guint id)
{
  for (guint i = 0; i < self->all->len; i++) {
    Kept *kept = self->all->pdata[i];
    if (kept->annotation.id == id) {
      return kept;
    }
  }
  return NULL;
}

static gboolean
is_on(const Kept *kept, guint series, guint index)
{
  return kept->annotation.series == series && kept->annotation.index == index;
}

/* ---- changes ------------------------------------------------------------------------------ */

guint
desktop_annotations_add(DesktopAnnotations *self, const DesktopAnnotation *annotation)
{
  const DesktopAnnotation *old =
      annotation->kind == DESKTOP_ANNOTATION_REGION
          ? desktop_annotations_region(self, annotation->series, annotation->index)
          : NULL;
  Kept *kept = g_new0(Kept, 1);

  if (old) {
    g_ptr_array_remove(self->all, find(self, old->id));
  }
  kept->annotation = *annotation;
  kept->annotation.id = ++self->last_id;
  g_ptr_array_add(self->all, kept);
  g_signal_emit(self, signal_changed, 0);
  return kept->annotation.id;
}

void
desktop_annotations_change(DesktopAnnotations *self, const DesktopAnnotation *annotation)
{
  Kept *kept = find(self, annotation->id);

  if (kept) {
    kept->annotation = *annotation;
    g_clear_pointer(&kept->text, g_free);
    g_signal_emit(self, signal_changed, 0);
  }
}

void
desktop_annotations_remove(DesktopAnnotations *self, guint id)
{
  Kept *kept = find(self, id);

  if (kept) {
    g_ptr_array_remove(self->all, kept);
    g_signal_emit(self, signal_changed, 0);
  }
}

void
desktop_annotations_clear_image(DesktopAnnotations *self, guint series, guint index)
{
  for (guint i = self->all->len; i > 0; i--) {
    if (is_on(self->all->pdata[i - 1], series, index)) {
      g_ptr_array_remove_index(self->all, i - 1);
    }
  }
  g_signal_emit(self, signal_changed, 0);
}

void
desktop_annotations_clear(DesktopAnnotations *self)
{
  g_ptr_array_set_size(self->all, 0);
  g_signal_emit(self, signal_changed, 0);
}

/* ---- asking ------------------------------------------------------------------------------- */

const DesktopAnnotation *
desktop_annotations_find(DesktopAnnotations *self, guint id)
{
  Kept *kept = find(self, id);

  return kept ? &kept->annotation : NULL;
}

const DesktopAnnotation *
desktop_annotations_get(DesktopAnnotations *self, guint series, guint index, guint i)
{
  for (guint k = 0; k < self->all->len; k++) {
    Kept *kept = self->all->pdata[k];
    if (is_on(kept, series, index) && i-- == 0) {
      return &kept->annotation;
    }
  }
  return NULL;
}

const DesktopAnnotation *
desktop_annotations_region(DesktopAnnotations *self, guint series, guint index)
{
  for (guint k = 0; k < self->all->len; k++) {
    Kept *kept = self->all->pdata[k];
    if (is_on(kept, series, index) && kept->annotation.kind == DESKTOP_ANNOTATION_REGION) {
      return &kept->annotation;
    }
  }
  return NULL;
}

const char *
desktop_annotations_text(DesktopAnnotations *self, guint id, const AppSlice *slice)
{
  Kept *kept = find(self, id);

  if (!kept) {
    return "";
  }
  if (!kept->text) {
    kept->text = desktop_annotation_text(&kept->annotation, slice);
  }
  return kept->text;
}

/* ---- life --------------------------------------------------------------------------------- */

static void
desktop_annotations_finalize(GObject *object)
{
  g_ptr_array_unref(DESKTOP_ANNOTATIONS(object)->all);
  G_OBJECT_CLASS(desktop_annotations_parent_class)->finalize(object);
}

static void
desktop_annotations_class_init(DesktopAnnotationsClass *class)
{
  G_OBJECT_CLASS(class)->finalize = desktop_annotations_finalize;
  signal_changed = g_signal_new("changed", DESKTOP_TYPE_ANNOTATIONS, G_SIGNAL_RUN_LAST, 0, NULL,
                                NULL, NULL, G_TYPE_NONE, 0);
}

static void
desktop_annotations_init(DesktopAnnotations *self)
{
  self->all = g_ptr_array_new_with_free_func(kept_free);
}
