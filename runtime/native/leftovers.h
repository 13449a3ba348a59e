/* Files that must not outlive their writer. In: paths of files and directories that are being written. Out: nothing; when a signal ends the process, they are removed first.
   Holds: only the main thread guards, one piece of writing at a time; signals that are ignored stay ignored; what a handler does here is permitted in one; afterwards signals are handled as before. */
#ifndef TFC_LEFTOVERS_H
#define TFC_LEFTOVERS_H

/* Bits for SIGHUP, SIGINT and SIGTERM: the caller leaves out those that do not end the process. Directories come before what is in them. Paths beyond what there is room for are not guarded. */
void tfc_leftovers_guard(const char *path, unsigned signals);

/* Forgets all of them. */
void tfc_leftovers_forget(void);

#endif
