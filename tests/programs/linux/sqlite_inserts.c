/* sqlite_inserts [FILE [ROWS]]: SQLite in memory: ROWS (10,000) inserts, an index, queries; then a
   database file, if one is named. */
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>

static int print_row(void* unused, int columns, char** values, char** names) {
  (void)unused;
  (void)names;
  for (int i = 0; i < columns; ++i) printf("%s%s", i ? "|" : "", values[i] ? values[i] : "NULL");
  printf("\n");
  return 0;
}

static void run(sqlite3* database, const char* text) {
  char* error = NULL;
  if (sqlite3_exec(database, text, print_row, NULL, &error) == SQLITE_OK) return;
  printf("error: %s\n", error);
  exit(1);
}

static void insert_many(sqlite3* database, int count) {
  sqlite3_stmt* statement = NULL;
  if (sqlite3_prepare_v2(database, "INSERT INTO t(n, name, x) VALUES(?, ?, ?)", -1, &statement,
                         NULL) != SQLITE_OK) {
    exit(2);
  }
  run(database, "BEGIN");
  for (int i = 0; i < count; ++i) {
    char name[32];
    snprintf(name, sizeof name, "name %d", i * 7919 % count);
    sqlite3_bind_int(statement, 1, i);
    sqlite3_bind_text(statement, 2, name, -1, SQLITE_TRANSIENT);
    sqlite3_bind_double(statement, 3, i / 7.0);
    if (sqlite3_step(statement) != SQLITE_DONE) exit(3);
    sqlite3_reset(statement);
  }
  run(database, "COMMIT");
  sqlite3_finalize(statement);
}

static void work(const char* path, int count) {
  sqlite3* database = NULL;
  if (sqlite3_open(path, &database) != SQLITE_OK) {
    printf("cannot open %s: %s\n", path, sqlite3_errmsg(database));
    exit(4);
  }
  run(database, "CREATE TABLE t(id INTEGER PRIMARY KEY, n INTEGER, name TEXT, x REAL)");
  insert_many(database, count);
  run(database, "CREATE INDEX by_name ON t(name)");
  run(database, "SELECT count(*), sum(n), avg(x), min(name), max(name) FROM t");
  run(database, "SELECT id, n, name, x FROM t WHERE name = 'name 42'");
  run(database, "SELECT n % 10 AS digit, count(*), max(x) FROM t GROUP BY digit ORDER BY digit");
  run(database, "DELETE FROM t WHERE n % 3 = 0");
  run(database, "SELECT count(*) FROM t");
  run(database, "PRAGMA integrity_check");
  sqlite3_close(database);
}

int main(int count, char** arguments) {
  work(":memory:", count > 2 ? atoi(arguments[2]) : 10000);
  if (count > 1) {
    remove(arguments[1]);
    work(arguments[1], 500);
    remove(arguments[1]);
  }
  return 0;
}
