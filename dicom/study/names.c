/* names.c - paths and file names as this room compares and shows them. */
#include "names.h"

#include <stdlib.h>
#include <string.h>

/* Compares the numbers that both begin with, and moves behind them. */
static gint
compare_numbers(const char **a, const char **b)
{
  gsize n_a, n_b;
  gint order;

  *a += strspn(*a, "0");
  *b += strspn(*b, "0");
  n_a = strspn(*a, "0123456789");
  n_b = strspn(*b, "0123456789");
  if (n_a != n_b) {
    return n_a < n_b ? -1 : 1;
  }
  order = strncmp(*a, *b, n_a);
  *a += n_a;
  *b += n_b;
  return order;
}

/* A folder's end comes before every other character. */
static guint
rank(char c)
{
  return c == '\0' ? 0 : c == '/' ? 1 : (guint)(guchar)c + 1;
}

gint
dicom_compare_names(const char *a, const char *b)
{
  const char *x = a, *y = b;

  while (*x || *y) {
    if (g_ascii_isdigit(*x) && g_ascii_isdigit(*y)) {
      gint order = compare_numbers(&x, &y);
      if (order != 0) {
        return order;
      }
    } else if (*x != *y) {
      return rank(*x) < rank(*y) ? -1 : 1;
    } else {
      x++;
      y++;
    }
  }
  return strcmp(a, b); /* "01" and "1" */
}

gint
dicom_compare_name_pointers(gconstpointer a, gconstpointer b)
{
  return dicom_compare_names(*(const char *const *)a, *(const char *const *)b);
}

char *
dicom_canonical_path(const char *path)
{
  char *resolved = realpath(path, NULL);
  char *canonical = resolved ? g_strdup(resolved) : g_canonicalize_filename(path, NULL);

  free(resolved);
  return canonical;
}

gboolean
dicom_path_is_below(const char *path, const char *folder)
{
  gsize n = strlen(folder);

  return strncmp(path, folder, n) == 0 &&
         (path[n] == '/' || (n > 0 && folder[n - 1] == '/' && path[n] != '\0'));
}
