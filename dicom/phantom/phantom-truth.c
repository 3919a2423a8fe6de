/* phantom-truth.c - what a study (seed, index) holds, before anything is drawn. */
#include "phantom-private.h"

#include <math.h>
#include <string.h>

static const struct {
  const char *name, *modality, *body_part, *view;
  double field_mm;
  const PhantomPainter *painter;
} kinds[PHANTOM_N_KINDS] = {
    {"chest-cr", "CR", "CHEST", "PA", 400.0, &phantom_chest_cr},
    {"chest-ct", "CT", "CHEST", "", 400.0, &phantom_chest_ct},
    {"abdomen-ct", "CT", "ABDOMEN", "", 400.0, &phantom_abdomen_ct},
    {"head-ct", "CT", "HEAD", "", 260.0, &phantom_head_ct},
};

static const struct {
  const char *name, *organ;
} findings[PHANTOM_N_FINDINGS] = {
    {"nodule", "lung"},        {"pleural effusion", "pleura"}, {"pacemaker", "chest wall"},
    {"liver cyst", "liver"},   {"liver mass", "liver"},        {"kidney stone", "kidney"},
    {"kidney cyst", "kidney"}, {"hemorrhage", "brain"},        {"infarct", "brain"},
};

const char *
phantom_kind_name(PhantomKind kind)
{
  return (guint)kind < PHANTOM_N_KINDS ? kinds[kind].name : NULL;
}

gboolean
phantom_kind_parse(const char *name, PhantomKind *kind)
{
  for (guint k = 0; k < PHANTOM_N_KINDS; k++) {
    if (strcmp(kinds[k].name, name) == 0) {
      *kind = (PhantomKind)k;
      return TRUE;
    }
  }
  return FALSE;
}

void
phantom_truth_of_kind(guint64 seed, guint64 index, PhantomKind kind, PhantomTruth *truth)
{
  g_assert((guint)kind < PHANTOM_N_KINDS);
  PhantomRandom random;
  phantom_random_init(&random, seed, index, PHANTOM_STREAM_TRUTH + 16 * (guint64)kind);
  *truth = (PhantomTruth){.kind = kind, .seed = seed, .index = index};
  truth->modality = kinds[kind].modality;
  truth->body_part = kinds[kind].body_part;
  truth->view = kinds[kind].view;
  kinds[kind].painter->truth(&random, truth);
  phantom_resize(truth, PHANTOM_DEFAULT_SIZE);
}

void
phantom_truth(guint64 seed, guint64 index, PhantomTruth *truth)
{
  /* The radiograph has the most to be asked about: it gets two studies in five. */
  static const PhantomKind mix[5] = {PHANTOM_CHEST_CR, PHANTOM_CHEST_CR, PHANTOM_CHEST_CT,
                                     PHANTOM_ABDOMEN_CT, PHANTOM_HEAD_CT};
  PhantomRandom random;
  phantom_random_init(&random, seed, index, PHANTOM_STREAM_POSE + 1024);
  phantom_truth_of_kind(seed, index, mix[phantom_random_below(&random, 5)], truth);
}

void
phantom_pose(const PhantomTruth *truth, PhantomPose *pose)
{
  PhantomRandom random;
  phantom_random_init(&random, truth->seed, truth->index, PHANTOM_STREAM_POSE);
  /* The half-angle tangent gives an exact rotation; 0.035 is about 4 degrees. */
  double t = phantom_random_range(&random, -0.035, 0.035);
  pose->cosine = (1 - t * t) / (1 + t * t);
  pose->sine = 2 * t / (1 + t * t);
  pose->scale = phantom_random_range(&random, 0.92, 1.04);
  pose->shift_u = phantom_random_range(&random, -0.05, 0.05);
  pose->shift_v = phantom_random_range(&random, -0.05, 0.05);
}

void
phantom_place(PhantomTruth *truth)
{
  PhantomPose pose;
  phantom_pose(truth, &pose);
  double half_mm = truth->spacing_mm * truth->columns / 2;
  for (guint i = 0; i < truth->n_findings; i++) {
    PhantomFinding *f = &truth->findings[i];
    double p = pose.scale * (pose.cosine * f->u - pose.sine * f->v) + pose.shift_u;
    double q = pose.scale * (pose.sine * f->u + pose.cosine * f->v) + pose.shift_v;
    f->x_mm = (p + 1) * half_mm - truth->spacing_mm / 2;
    f->y_mm = (q + 1) * half_mm - truth->spacing_mm / 2;
    f->size_mm = 2 * f->r * pose.scale * half_mm;
  }
}

void
phantom_resize(PhantomTruth *truth, guint size)
{
  g_assert(size >= PHANTOM_MIN_SIZE && size <= PHANTOM_MAX_SIZE);
  truth->rows = truth->columns = size;
  truth->spacing_mm = kinds[truth->kind].field_mm / size;
  phantom_place(truth);
}

guint
phantom_count(const PhantomTruth *truth, PhantomFindingKind kind, PhantomSide side)
{
  guint n = 0;
  for (guint i = 0; i < truth->n_findings; i++) {
    const PhantomFinding *f = &truth->findings[i];
    n += f->kind == kind &&
         (side == PHANTOM_SIDE_NONE || f->side == side || f->side == PHANTOM_SIDE_BOTH);
  }
  return n;
}

PhantomFinding *
phantom_add(PhantomTruth *truth, PhantomFindingKind kind, PhantomSide side, double u, double v,
            double r)
{
  g_assert(truth->n_findings < PHANTOM_MAX_FINDINGS);
  PhantomFinding *f = &truth->findings[truth->n_findings++];
  *f = (PhantomFinding){.kind = kind, .side = side, .u = u, .v = v, .r = r, .zone = ""};
  f->name = findings[kind].name;
  f->organ = findings[kind].organ;
  return f;
}

gboolean
phantom_free_place(const PhantomTruth *truth, double u, double v, double r, double gap)
{
  for (guint i = 0; i < truth->n_findings; i++) {
    const PhantomFinding *f = &truth->findings[i];
    double du = u - f->u, dv = v - f->v;
    if (f->r > 0 && sqrt(du * du + dv * dv) < r + f->r + gap) {
      return FALSE;
    }
  }
  return TRUE;
}

double
phantom_radius(PhantomRandom *random, gboolean large)
{
  return large ? phantom_random_range(random, 0.13, 0.155)
               : phantom_random_range(random, 0.072, 0.086);
}

PhantomSide
phantom_random_side(PhantomRandom *random)
{
  return phantom_random_chance(random, 0.5) ? PHANTOM_SIDE_LEFT : PHANTOM_SIDE_RIGHT;
}

double
phantom_side_sign(PhantomSide side)
{
  return side == PHANTOM_SIDE_LEFT ? 1.0 : -1.0;
}

guint
phantom_random_count(PhantomRandom *random)
{
  /* One is asked about most: its side, zone and size. */
  static const guint counts[4] = {1, 1, 2, 3};
  return counts[phantom_random_below(random, 4)];
}

gint16 *
phantom_draw(const PhantomTruth *truth)
{
  guint size = truth->rows;
  g_assert(size >= PHANTOM_MIN_SIZE && size <= PHANTOM_MAX_SIZE && truth->columns == size);
  gsize n = (gsize)size * size;
  PhantomCanvas canvas = {.size = size};
  g_autofree float *values = g_new0(float, n);
  canvas.values = values;
  phantom_pose(truth, &canvas.pose);
  kinds[truth->kind].painter->draw(truth, &canvas);
  float low = truth->kind == PHANTOM_CHEST_CR ? 0.0f : -1024.0f;
  float high = truth->kind == PHANTOM_CHEST_CR ? 4095.0f : 3071.0f;
  gint16 *stored = g_new(gint16, n);
  for (gsize i = 0; i < n; i++) {
    float value = values[i] < low ? low : values[i] > high ? high : values[i];
    stored[i] = (gint16)((gint)(value - low + 0.5f) + (gint)low);
  }
  return stored;
}
