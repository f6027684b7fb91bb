// Stands in for NVTX in the emulated build: ranges are counted, so that a test can see that they balance.
#pragma once

#include <stdint.h>

typedef uint64_t nvtxRangeId_t;
typedef struct nvtxDomainRegistration_st* nvtxDomainHandle_t;

int nvtxRangePushA(const char* message);
int nvtxRangePop();
nvtxRangeId_t nvtxRangeStartA(const char* message);
void nvtxRangeEnd(nvtxRangeId_t id);
void nvtxMarkA(const char* message);
void nvtxNameOsThreadA(uint32_t thread, const char* name);

#define nvtxRangePush nvtxRangePushA
#define nvtxRangeStart nvtxRangeStartA
#define nvtxMark nvtxMarkA
#define nvtxNameOsThread nvtxNameOsThreadA
