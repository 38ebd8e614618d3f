-- Ranks airlines and routes by their mean arrival delay. ${...} is filled in by the demo.
CREATE TEMPORARY VIEW flights (
  year INT, month INT, day INT, dep_time INT, sched_dep_time INT, dep_delay INT, arr_time INT, sched_arr_time INT,
  arr_delay INT, carrier STRING, flight INT, tailnum STRING, origin STRING, dest STRING, air_time INT, distance INT,
  hour INT, minute INT, time_hour STRING)
USING csv OPTIONS (path '${root}/flights.csv', header 'true', nullValue 'NA');

CREATE TEMPORARY VIEW airlines (carrier STRING, name STRING)
USING csv OPTIONS (path '${root}/airlines.csv', header 'true');

INSERT OVERWRITE DIRECTORY '${root}/results/airlines' USING csv
SELECT /*+ COALESCE(1) */ rank() OVER (ORDER BY mean DESC, carrier), carrier, name, arrived, minutes
FROM (SELECT f.carrier, a.name, count(arr_delay) AS arrived, sum(arr_delay) AS minutes, avg(arr_delay) AS mean
      FROM flights f JOIN airlines a ON f.carrier = a.carrier GROUP BY f.carrier, a.name);

INSERT OVERWRITE DIRECTORY '${root}/results/routes' USING csv
SELECT /*+ COALESCE(1) */ rank() OVER (ORDER BY mean DESC, origin, dest), origin, dest, arrived, minutes
FROM (SELECT origin, dest, count(arr_delay) AS arrived, sum(arr_delay) AS minutes, avg(arr_delay) AS mean
      FROM flights GROUP BY origin, dest HAVING count(arr_delay) >= 365);
