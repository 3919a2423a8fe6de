/* stack-notes.c - what is odd about a stack, in sentences for people.
 *
 * Images are counted from 1, in the order in which they are shown.
 */
#include "stack.h"

#include <glib/gi18n.h>
#include <math.h>

/* Less than this is no tilt: degrees. Gantries are set in steps of half a degree. */
#define LEAST_TILT 0.5
/* Positions are often rounded to a tenth of a millimetre, and such errors are no shift: mm. */
#define LEAST_SHIFT 0.25
/* Tilt by the attribute and by the positions are one when they agree to a degree. */
#define SAME_TILT 1.0
/* A gap is regular when it differs from the median by no more than a tenth of it, or by what
 * rounding two positions to a tenth of a millimetre can do: mm. */
#define REGULAR_SHARE 0.1
#define REGULAR_ROUNDING 0.11
/* Slices are missing where a gap is that near to a multiple of the median. */
#define NEAR_MULTIPLE 0.1
/* Of each kind, at most so many sentences; the rest is summed up. */
#define MAX_SENTENCES 6

static const DicomSlice *
slice_at(const DicomStack *stack, guint i)
{
  return &g_array_index(stack->slices, DicomSlice, i);
}

static void G_GNUC_PRINTF(2, 3) note(DicomStack *stack, const char *format, ...)
{
  va_list args;

  va_start(args, format);
  g_ptr_array_add(stack->notes, g_strdup_vprintf(format, args));
  va_end(args);
}

/* ---- tilt --------------------------------------------------------------------------------- */

/* Where the stack is at distance ALONG when it is straight from the first slice to the last. */
static double
distance_from_line(const DicomSlice *first, const double direction[3], const DicomSlice *slice)
{
  double sum = 0;

  for (guint i = 0; i < 3; i++) {
    double d =
        slice->position[i] - first->position[i] - direction[i] * (slice->along - first->along);
    sum += d * d;
  }
  return sqrt(sum);
}

/* Degrees between the stack's direction and the normal of its slices, from the positions alone; 0
 * when there is none. *BENT: how far, in mm, a slice lies off the straight line. */
static double
find_lean(const DicomStack *stack, double *bent)
{
  const DicomSlice *first = slice_at(stack, 0), *last = slice_at(stack, stack->slices->len - 1);
  double rise = last->along - first->along, direction[3], square = 0, shift;

  for (guint i = 0; i < 3; i++) {
    double d = last->position[i] - first->position[i];

    direction[i] = d / rise;
    square += d * d;
  }
  *bent = 0;
  for (guint i = 0; i < stack->slices->len; i++) {
    *bent = MAX(*bent, distance_from_line(first, direction, slice_at(stack, i)));
  }
  shift = sqrt(MAX(square - rise * rise, 0));
  return shift > LEAST_SHIFT ? atan2(shift, rise) * 180 / G_PI : 0;
}

static void
note_tilt(DicomStack *stack, const DicomStackFacts *facts)
{
  const DicomSlice *first = slice_at(stack, 0);
  gboolean by_tag = first->has_tilt && fabs(first->tilt) >= LEAST_TILT && fabs(first->tilt) < 90;
  double bent = 0, lean = stack->sorted_by_geometry ? find_lean(stack, &bent) : 0;
  gboolean by_place = lean >= LEAST_TILT;

  if (bent > MAX(1, 4 * LEAST_SHIFT)) {
    note(stack, _("the slices do not lie in a straight line: one is %.1f mm beside it"), bent);
    by_place = FALSE;
  }
  if (by_tag && !stack->sorted_by_geometry) {
    note(stack, _("gantry tilt %.1f degrees by GantryDetectorTilt"), first->tilt);
  } else if (by_tag && by_place && fabs(fabs(first->tilt) - lean) <= SAME_TILT) {
    note(stack, _("gantry tilt %.1f degrees"), first->tilt);
  } else if (by_tag && by_place) {
    note(stack,
         _("gantry tilt %.1f degrees by GantryDetectorTilt, but %.1f degrees by the positions of "
           "the "
           "slices"),
         first->tilt, lean);
  } else if (by_tag) {
    note(stack,
         _("gantry tilt %.1f degrees by GantryDetectorTilt, but the slices are stacked straight"),
         first->tilt);
  } else if (by_place && facts->is_ct) {
    note(stack,
         first->has_tilt ? _("gantry tilt %.1f degrees by the positions of the slices; "
                             "GantryDetectorTilt says that there is none")
                         : _("gantry tilt %.1f degrees by the positions of the slices; "
                             "GantryDetectorTilt is absent"),
         lean);
  } else if (by_place) {
    note(stack, _("the slices are stacked at %.1f degrees to their normal"), lean);
  }
}

/* ---- gaps --------------------------------------------------------------------------------- */

typedef struct {
  double mm;
  guint before; /* image, from 1, in front of the gap */
} Gap;

static gint
compare_numbers(gconstpointer a, gconstpointer b)
{
  double x = *(const double *)a, y = *(const double *)b;

  return x < y ? -1 : x > y;
}

static GArray *
find_gaps(const DicomStack *stack)
{
  GArray *gaps = g_array_new(FALSE, FALSE, sizeof(Gap));

  for (guint i = 1; i < stack->slices->len; i++) {
    const DicomSlice *a = slice_at(stack, i - 1), *b = slice_at(stack, i);

    if (a->place != b->place) {
      Gap gap = {b->along - a->along, i};
      g_array_append_val(gaps, gap);
    }
  }
  return gaps;
}

/* The lower one of two in the middle: where one of two gaps is wide, slices are missing in it. */
static double
median_gap(const GArray *gaps)
{
  g_autoptr(GArray) sorted = g_array_sized_new(FALSE, FALSE, sizeof(double), gaps->len);

  for (guint i = 0; i < gaps->len; i++) {
    g_array_append_val(sorted, g_array_index(gaps, Gap, i).mm);
  }
  g_array_sort(sorted, compare_numbers);
  return g_array_index(sorted, double, (gaps->len - 1) / 2);
}

/* Slices that are missing in a gap of MM; 0: it is regular; -1: neither. */
static double
missing_in(double mm, double median)
{
  double ratio = mm / median, whole = round(ratio);

  if (fabs(mm - median) <= MAX(REGULAR_SHARE * median, REGULAR_ROUNDING)) {
    return 0;
  }
  return whole >= 2 && fabs(ratio - whole) <= NEAR_MULTIPLE ? whole - 1 : -1;
}

static void
note_missing(DicomStack *stack, const GArray *gaps, guint n_wide)
{
  guint said = 0;

  for (guint i = 0; i < gaps->len && said < MAX_SENTENCES; i++) {
    const Gap *gap = &g_array_index(gaps, Gap, i);
    double n = missing_in(gap->mm, stack->spacing);

    if (n > 0) {
      note(stack,
           ngettext("%.0f slice is missing between images %u and %u",
                    "%.0f slices are missing between images %u and %u", (gulong)n),
           n, gap->before, gap->before + 1);
      said++;
    }
  }
  if (n_wide > said) {
    note(stack,
         ngettext("slices are missing at %u more place", "slices are missing at %u more places",
                  n_wide - said),
         n_wide - said);
  }
}

static void
note_gaps(DicomStack *stack)
{
  g_autoptr(GArray) gaps = find_gaps(stack);
  double low = INFINITY, high = 0;
  guint n_wide = 0, n_odd = 0;

  stack->spacing = median_gap(gaps);
  for (guint i = 0; i < gaps->len; i++) {
    double mm = g_array_index(gaps, Gap, i).mm, n = missing_in(mm, stack->spacing);

    n_wide += n > 0;
    n_odd += n < 0;
    low = MIN(low, mm);
    high = MAX(high, mm);
  }
  /* Where many gaps are wide, as in a head that was scanned in two thicknesses, nothing is missing.
   */
  gboolean varies = 4 * n_odd > gaps->len || 4 * n_wide > MAX(gaps->len, 4);
  if (n_odd > 0 || varies) {
    note(stack, _("the spacing is irregular: %.2f to %.2f mm between neighbours, median %.2f mm"),
         low, high, stack->spacing);
  }
  if (!varies) {
    note_missing(stack, gaps, n_wide);
  }
}

/* ---- images at one place -------------------------------------------------------------------- */

static guint
end_of_place(const DicomStack *stack, guint start)
{
  guint end = start + 1;

  while (end < stack->slices->len && slice_at(stack, end)->place == slice_at(stack, start)->place) {
    end++;
  }
  return end;
}

static void
note_same_places(DicomStack *stack, const DicomStackFacts *facts)
{
  guint times = end_of_place(stack, 0), n_shared = 0;
  gboolean even = TRUE;

  for (guint i = 0, end; i < stack->slices->len; i = end) {
    end = end_of_place(stack, i);
    even = even && end - i == times;
    n_shared += end - i > 1;
  }
  if (n_shared == 0) {
    return;
  }
  if (even) {
    note(stack,
         facts->is_object
             ? _("every position is there %u times")
             : _("every position is there %u times, and neither TemporalPositionIdentifier, "
                 "AcquisitionNumber nor EchoTime tells the passes apart"),
         times);
    return;
  }
  guint said = 0;
  for (guint i = 0, end; i < stack->slices->len && said < MAX_SENTENCES; i = end) {
    end = end_of_place(stack, i);
    if (end - i > 1) {
      note(stack,
           end - i > 2 ? _("images %u to %u lie at the same position")
                       : _("images %u and %u lie at the same position"),
           i + 1, end);
      said++;
    }
  }
  if (n_shared > said) {
    note(stack,
         ngettext("%u more position is taken by several images",
                  "%u more positions are taken by several images", n_shared - said),
         n_shared - said);
  }
}

/* ---- no stack ----------------------------------------------------------------------------- */

/* Why images that say where they lie are not ordered by it. */
static void
note_disorder(DicomStack *stack, const DicomStackFacts *facts)
{
  const DicomSlice *placed = NULL;
  guint n = stack->slices->len, n_placed = 0;
  gboolean parallel = TRUE, same_size = TRUE;

  for (guint i = 0; i < n; i++) {
    const DicomSlice *slice = slice_at(stack, i), *first = slice_at(stack, 0);

    same_size = same_size && slice->rows == first->rows && slice->columns == first->columns;
    if (slice->has_geometry) {
      n_placed++;
      placed = placed ? placed : slice;
      parallel = parallel && dicom_slices_are_parallel(placed, slice);
    }
  }
  if (n_placed == 0 || n == 1) {
    return;
  }
  const char *order = facts->is_object ? _("in the order in which they are stored")
                                       : _("ordered by InstanceNumber");
  if (n_placed < n) {
    note(stack, _("%u of %u images do not say where they lie; %s"), n - n_placed, n, order);
  } else if (!parallel) {
    note(stack, _("the %u images lie in different orientations; %s"), n, order);
  } else if (!facts->is_object) {
    /* A film of one place needs no remark. */
    note(stack, _("all %u images lie at the same position; %s"), n, order);
  }
  if (!same_size) {
    note(stack, _("the images differ in size"));
  }
}

void
dicom_stack_note(DicomStack *stack, const DicomStackFacts *facts)
{
  if (!stack->is_localizer) {
    note_tilt(stack, facts);
  }
  if (stack->sorted_by_geometry) {
    note_gaps(stack);
    note_same_places(stack, facts);
  } else {
    note_disorder(stack, facts);
  }
}

char *
dicom_split_text(guint split)
{
  static const char *const names[] = {"ImageType (localisers)",
                                      "StackID",
                                      "having a position",
                                      "orientation",
                                      "image size",
                                      "TemporalPositionIdentifier",
                                      "AcquisitionNumber",
                                      "EchoTime"};
  GString *text = g_string_new(NULL);

  for (guint i = 0; i < G_N_ELEMENTS(names); i++) {
    if (split & (1u << i)) {
      g_string_append_printf(text, "%s%s", text->len > 0 ? ", " : "", names[i]);
    }
  }
  return g_string_free(text, FALSE);
}
