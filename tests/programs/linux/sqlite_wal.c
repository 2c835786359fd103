/* SQLite with a write-ahead log: two connections to one database, whose index they share by a
 * mapping of its -shm file; and with the database itself mapped. Prints the same on any Linux. */
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

static int print_row(void* name, int columns, char** values, char** names) {
  (void)names;
  printf("%s:", (const char*)name);
  for (int i = 0; i < columns; ++i) printf(" %s", values[i] ? values[i] : "NULL");
  printf("\n");
  return 0;
}

static void run(sqlite3* database, const char* name, const char* text) {
  char* error = NULL;
  const int result = sqlite3_exec(database, text, print_row, (void*)name, &error);
  if (result != SQLITE_OK) printf("%s: error %d: %s\n", name, result, error);
}

static sqlite3* open_database(void) {
  sqlite3* database = NULL;
  if (sqlite3_open("wal.db", &database) != SQLITE_OK) exit(4);
  return database;
}

static void print_sizes(const char* when) {
  struct stat log, index;
  const int has_log = stat("wal.db-wal", &log) == 0, has_index = stat("wal.db-shm", &index) == 0;
  printf("%s: log %s, index %s\n", when,
         !has_log          ? "none"
         : log.st_size > 0 ? "full"
                           : "empty",
         has_index ? "there" : "none");
}

int main(void) {
  sqlite3 *writer = open_database(), *reader = open_database();
  run(writer, "writer", "PRAGMA journal_mode = WAL");
  run(writer, "writer", "CREATE TABLE t(n INTEGER PRIMARY KEY, x)");
  run(reader, "reader", "BEGIN; SELECT count(*) FROM t");
  run(writer, "writer",
      "WITH RECURSIVE c(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM c WHERE n < 3000) "
      "INSERT INTO t SELECT n, hex(n * n) FROM c");
  run(reader, "reader", "SELECT count(*) FROM t; COMMIT; SELECT count(*) FROM t");
  run(reader, "reader", "BEGIN IMMEDIATE; INSERT INTO t VALUES(5000, 'five')");
  run(writer, "writer", "INSERT INTO t VALUES(6000, 'six')");
  run(reader, "reader", "COMMIT");
  run(writer, "writer", "INSERT INTO t VALUES(6000, 'six')");
  print_sizes("before the checkpoint");
  run(writer, "writer", "PRAGMA wal_checkpoint(TRUNCATE)");
  print_sizes("behind the checkpoint");
  run(writer, "writer", "PRAGMA mmap_size = 1000000");
  run(writer, "writer", "UPDATE t SET x = x || '!' WHERE n % 7 = 0; PRAGMA wal_checkpoint");
  run(writer, "writer", "SELECT count(*), sum(length(x)), max(n) FROM t; PRAGMA integrity_check");
  run(reader, "reader", "SELECT count(*), sum(length(x)), max(n) FROM t");
  run(reader, "reader", "DELETE FROM t WHERE n % 2 = 0; SELECT count(*) FROM t");
  sqlite3_close(reader);
  sqlite3_close(writer);
  print_sizes("at the end");
  writer = open_database();
  run(writer, "again", "PRAGMA journal_mode; SELECT count(*) FROM t; PRAGMA integrity_check");
  sqlite3_close(writer);
  return 0;
}
