/* domain.h - what a list says of the kind of a picture. Private to data. */
#ifndef HILUM_DATA_DATASET_DOMAIN_H
#define HILUM_DATA_DATASET_DOMAIN_H

#include "dataset.h"
#include "dataset/scan.h"

/* "ct_scan", "CT", or {"chest_xray": false, ..., "ct_scan": true}; else NONE. */
DataDomain data_domain_of(const DataValue *value);

#endif
