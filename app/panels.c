/* panels.c - see panels.h.
 *
 * A gutter is a straight band of one colour, from edge to edge, in which both sides end as pictures
 * do: abruptly, along a good part of its length. Black bands lie within CT and MR pictures, too,
 * but what is round touches them along little of it. Letters are seen where
 * they stand in boxes, in rows or columns of equal ones, as journals set them into pictures that
 * touch.
 */
#include "panels.h"

#include <string.h>

#define SIDE 512u       /* pictures are looked at no larger */
#define EVEN 10         /* greys that an even band may vary by, to either side */
#define MOST_OF 0.97    /* of its length that must be so */
#define LEAST_PART 0.12 /* of the picture's side that a panel has at least */
#define ABRUPT 0.25     /* of a band's length along which both sides must end at once */
#define STEP 28         /* greys of such an end */
#define COLOURED 24     /* greys between the channels of a coloured pixel */

typedef struct {
  guint8 *grey;
  guint width, height;
  double coloured;
} Small;

/* ---- a smaller picture -------------------------------------------------------------------------
 */

static void
shrink(const DicomPicture *picture, Small *small)
{
  const guint step = MAX(1, (MAX(picture->width, picture->height) + SIDE - 1) / SIDE);
  guint64 n_coloured = 0;

  small->width = picture->width / step;
  small->height = picture->height / step;
  small->grey = g_malloc0((gsize)MAX(1, small->width) * MAX(1, small->height));
  for (guint y = 0; y < small->height; y++) {
    for (guint x = 0; x < small->width; x++) {
      const guint8 *p = picture->pixels + 3 * ((gsize)y * step * picture->width + x * step);
      const guint most = MAX(p[0], MAX(p[1], p[2])), least = MIN(p[0], MIN(p[1], p[2]));

      n_coloured += most - least > COLOURED;
      small->grey[(gsize)y * small->width + x] = (guint8)((p[0] + 2u * p[1] + p[2]) / 4);
    }
  }
  small->coloured = small->width * small->height > 0
                        ? (double)n_coloured / ((double)small->width * small->height)
                        : 0;
}

/* ---- gutters -----------------------------------------------------------------------------------
 */

/* Part of a picture; with TURNED its columns are its rows. */
typedef struct {
  const Small *small;
  guint left, top, width, height;
  gboolean turned;
} Part;

static guint
length_of(const Part *part) /* of a band */
{
  return part->turned ? part->height : part->width;
}

static guint
depth_of(const Part *part) /* bands one beside the other */
{
  return part->turned ? part->width : part->height;
}

static guint8
grey_at(const Part *part, guint band, guint i)
{
  const guint x = part->left + (part->turned ? band : i), y = part->top + (part->turned ? i : band);
  return part->small->grey[(gsize)y * part->small->width + x];
}

/* But for what compression leaves of its neighbours. */
static gboolean
is_even(const Part *part, guint band, guint8 *grey)
{
  const guint n = length_of(part);
  guint histogram[256] = {0}, sum = 0, best = 0;

  for (guint i = 0; i < n; i++) {
    histogram[grey_at(part, band, i)]++;
  }
  for (guint i = 0; i < 256; i++) {
    sum += histogram[i] - (i > 2 * EVEN ? histogram[i - 2 * EVEN - 1] : 0);
    if (sum > best) {
      best = sum;
      *grey = (guint8)(i > EVEN ? i - EVEN : 0);
    }
  }
  return best >= MOST_OF * n;
}

/* Share of the band's length along which band SIDE differs from GREY. */
static double
differs(const Part *part, guint side, guint8 grey)
{
  const guint n = length_of(part);
  guint differing = 0;

  for (guint i = 0; i < n; i++) {
    differing += ABS((gint)grey_at(part, side, i) - (gint)grey) > STEP;
  }
  return (double)differing / n;
}

/* Whether the even bands FROM .. TO - 1 divide two panels. */
static gboolean
divides(const Part *part, guint from, guint to, guint8 grey)
{
  const guint depth = depth_of(part);
  const guint before = from > 1 ? from - 2 : 0, behind = MIN(to + 1, depth - 1);
  double both;

  if (from < LEAST_PART * depth || depth - to < LEAST_PART * depth || to - from > depth / 4) {
    return FALSE;
  }
  both = MIN(differs(part, before, grey), differs(part, behind, grey));
  return both >= ABRUPT;
}

/* The first gutter of PART; FALSE: there is none. */
static gboolean
find_gutter(const Part *part, guint *from, guint *to)
{
  const guint depth = depth_of(part);
  guint8 grey = 0, next;

  for (guint band = 0; band < depth;) {
    if (!is_even(part, band, &grey)) {
      band++;
      continue;
    }
    *from = band;
    for (*to = band + 1; *to < depth && is_even(part, *to, &next) && ABS(next - grey) <= EVEN;
         ++*to) {
    }
    if (divides(part, *from, *to, grey)) {
      return TRUE;
    }
    band = *to;
  }
  return FALSE;
}

/* Cuts PARTS (of Part) at gutters, both ways, until there is none: at most MOST of them. */
static void
cut(GArray *parts, guint most)
{
  for (guint i = 0; i < parts->len && parts->len < most;) {
    gboolean divided = FALSE;

    for (guint turn = 0; turn < 2 && !divided; turn++) {
      Part part = g_array_index(parts, Part, i), rest;
      guint from, to;

      part.turned = turn == 1;
      if (part.width < 16 || part.height < 16 || !find_gutter(&part, &from, &to)) {
        continue;
      }
      rest = part;
      if (part.turned) {
        rest.left += to;
        rest.width -= to;
        part.width = from;
      } else {
        rest.top += to;
        rest.height -= to;
        part.height = from;
      }
      g_array_index(parts, Part, i) = part;
      g_array_append_val(parts, rest);
      divided = TRUE;
    }
    i += !divided;
  }
}

/* ---- letters -----------------------------------------------------------------------------------
 */

/* A clump of light pixels, or of dark ones. */
typedef struct {
  guint left, top, right, bottom, n; /* RIGHT and BOTTOM lie within */
} Clump;

/* The clump of pixels for which SEEN is SIGN at START; STACK has room for all pixels. */
static Clump
grow(const Small *small, guint8 *seen, guint8 sign, guint start, guint *stack)
{
  const guint w = small->width, h = small->height;
  Clump clump = {G_MAXUINT, G_MAXUINT, 0, 0, 0};
  guint n = 0;

  stack[n++] = start;
  seen[start] = 0;
  while (n > 0) {
    const guint at = stack[--n], x = at % w, y = at / w;

    clump.n++;
    clump.left = MIN(clump.left, x);
    clump.right = MAX(clump.right, x);
    clump.top = MIN(clump.top, y);
    clump.bottom = MAX(clump.bottom, y);
    for (guint side = 0; side < 4; side++) {
      const gboolean inside = side == 0   ? x > 0
                              : side == 1 ? x + 1 < w
                              : side == 2 ? y > 0
                                          : y + 1 < h;
      const guint next = side == 0 ? at - 1 : side == 1 ? at + 1 : side == 2 ? at - w : at + w;
      if (inside && seen[next] == sign) {
        seen[next] = 0;
        stack[n++] = next;
      }
    }
  }
  return clump;
}

/* A box with a letter in it: nearly square, nearly full, in a size to be read. */
static gboolean
is_box(const Clump *clump)
{
  const guint width = clump->right - clump->left + 1, height = clump->bottom - clump->top + 1;
  const double full = (double)clump->n / ((double)width * height);

  return height >= 8 && height <= 64 && width >= 0.6 * height && width <= 1.6 * height &&
         full >= 0.55 && full <= 0.95;
}

static gboolean
is_alike(const Clump *a, const Clump *b)
{
  const gint width_a = (gint)(a->right - a->left), width_b = (gint)(b->right - b->left);
  const gint height_a = (gint)(a->bottom - a->top), height_b = (gint)(b->bottom - b->top);
  const gboolean one_size =
      ABS(width_a - width_b) <= 2 + width_a / 6 && ABS(height_a - height_b) <= 1 + height_a / 8;
  const gint x = ABS((gint)a->left - (gint)b->left), y = ABS((gint)a->top - (gint)b->top);

  /* In one row or column, and far enough from each other to stand in two panels. */
  return one_size && ((x <= 2 && y > 4 * height_a) || (y <= 2 && x > 4 * width_a));
}

/* Of boxes with letters, as many as stand in rows and columns. */
static guint
count_letters(const Small *small)
{
  const gsize n = (gsize)small->width * small->height;
  g_autofree guint8 *seen = g_malloc(n + 1);
  g_autofree guint *stack = g_new(guint, n + 1);
  g_autoptr(GArray) boxes = g_array_new(FALSE, FALSE, sizeof(Clump));
  guint letters = 0;

  for (gsize i = 0; i < n; i++) {
    seen[i] = small->grey[i] > 224 ? 1 : small->grey[i] < 32 ? 2 : 0;
  }
  for (gsize i = 0; i < n && boxes->len < 64; i++) {
    if (seen[i]) {
      const Clump clump = grow(small, seen, seen[i], (guint)i, stack);
      if (is_box(&clump)) {
        g_array_append_val(boxes, clump);
      }
    }
  }
  for (guint i = 0; i < boxes->len; i++) {
    gboolean alike = FALSE;
    for (guint k = 0; k < boxes->len && !alike; k++) {
      alike = k != i && is_alike(&g_array_index(boxes, Clump, i), &g_array_index(boxes, Clump, k));
    }
    letters += alike;
  }
  return letters;
}

void
app_panels_look(const DicomPicture *picture, PmcPicture *seen)
{
  g_autoptr(GArray) parts = g_array_new(FALSE, FALSE, sizeof(Part));
  Small small = {0};
  Part whole;

  shrink(picture, &small);
  whole = (Part){&small, 0, 0, small.width, small.height, FALSE};
  g_array_append_val(parts, whole);
  cut(parts, 36);
  seen->readable = TRUE;
  seen->width = picture->width;
  seen->height = picture->height;
  seen->panels = parts->len;
  seen->letters = count_letters(&small);
  seen->coloured = small.coloured;
  g_free(small.grey);
}
