/* limits.h - how much of a PubMed Central article or package is read. */
#ifndef HILUM_DATA_PMC_LIMITS_H
#define HILUM_DATA_PMC_LIMITS_H

/* The largest articles of PMC are some 20 MiB; their tree takes ten times as much memory. */
#define PMC_MOST_ARTICLE_BYTES (32u << 20)
/* Figures are scaled for the web; what is larger is a video, a table or a mistake. */
#define PMC_MOST_IMAGE_BYTES (64u << 20)
/* Members of one package; real ones have some hundred. */
#define PMC_MOST_MEMBERS 100000u
/* Bytes that a package may unfold to, whatever its members say. */
#define PMC_MOST_PACKAGE_BYTES (8ull << 30)

#endif
