-- oldest library: 0.1.0
-- A column loses its statistics when its type changes. In a transaction of its own, because 028 locks out everybody until its commit.
analyze {schema}.entries, {schema}.waiting;
