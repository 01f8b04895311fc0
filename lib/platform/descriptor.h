/* descriptor.h - reading and writing open files through the I/O gate. Every function returns 0 or an errno. */
#ifndef EVDB_PLATFORM_DESCRIPTOR_H
#define EVDB_PLATFORM_DESCRIPTOR_H
#include "platform/platform.h"

typedef struct descriptor {
    const platform *platform;
    const char *path; /* borrowed */
    int fd;
} descriptor;

/* A new, empty file in the place of whatever had that name. */
int descriptor_create(const platform *p, const char *path, descriptor *out);
int descriptor_open(const platform *p, const char *path, descriptor *out); /* for reading */
int descriptor_edit(const platform *p, const char *path, descriptor *out); /* for reading and writing; made when it is missing */
void descriptor_close(descriptor *d);
int descriptor_size(const descriptor *d, uint64_t *out);
/* All `size` bytes, or an error; EIO when the file ends before. */
int descriptor_write(const descriptor *d, uint64_t offset, const void *bytes, size_t size);
int descriptor_read(const descriptor *d, uint64_t offset, void *bytes, size_t size);
int descriptor_sync(const descriptor *d);
/* Begins to move these bytes from the page cache to the disk, without waiting: a later sync finds little to do. A mere hint: that sync
 * also reports what goes wrong here. */
void descriptor_write_back(const descriptor *d, uint64_t offset, size_t size);
/* The whole file as memory to read; it stays mapped when the descriptor is closed. Undone by map_drop(). */
int descriptor_map(const descriptor *d, size_t size, const void **out);
int descriptor_rename(const platform *p, const char *from, const char *to);

#endif
