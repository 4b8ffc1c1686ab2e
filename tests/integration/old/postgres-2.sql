SET statement_timeout = 0;
SET lock_timeout = 0;
SET idle_in_transaction_session_timeout = 0;
SET client_encoding = 'UTF8';
SET standard_conforming_strings = on;
SET check_function_bodies = false;
SET xmloption = content;
SET client_min_messages = warning;
SET row_security = off;
CREATE SCHEMA carillon;
SET default_tablespace = '';
SET default_table_access_method = heap;
CREATE TABLE carillon.history_outbox (
    n bigint NOT NULL,
    event text NOT NULL COLLATE pg_catalog."C"
);
ALTER TABLE carillon.history_outbox ALTER COLUMN n ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME carillon.history_outbox_n_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);
CREATE TABLE carillon.instance (
    id uuid NOT NULL,
    name text NOT NULL COLLATE pg_catalog."C",
    roles text NOT NULL COLLATE pg_catalog."C",
    version text NOT NULL COLLATE pg_catalog."C",
    started_at bigint NOT NULL,
    heartbeat bigint NOT NULL,
    held bigint NOT NULL,
    until bigint DEFAULT 0 NOT NULL
);
CREATE TABLE carillon.lease (
    name text NOT NULL COLLATE pg_catalog."C",
    holder uuid NOT NULL,
    until bigint NOT NULL
);
CREATE TABLE carillon.meta (
    key text NOT NULL COLLATE pg_catalog."C",
    value text NOT NULL COLLATE pg_catalog."C"
);
CREATE TABLE carillon.run (
    id uuid NOT NULL,
    schedule_id uuid NOT NULL,
    version bigint NOT NULL,
    scheduled_at bigint NOT NULL,
    due_at bigint,
    attempt bigint NOT NULL,
    failures bigint NOT NULL,
    lease_owner uuid,
    lease_token bigint DEFAULT 0 NOT NULL,
    lease_until bigint DEFAULT 0 NOT NULL,
    started_at bigint,
    ended_at bigint,
    took_us bigint DEFAULT 0 NOT NULL,
    status integer DEFAULT 0 NOT NULL,
    state smallint NOT NULL,
    doomed boolean DEFAULT false NOT NULL,
    error text DEFAULT ''::text NOT NULL COLLATE pg_catalog."C"
)
WITH (fillfactor='80', autovacuum_vacuum_scale_factor='0.02', autovacuum_vacuum_threshold='2000', autovacuum_vacuum_cost_delay='0', autovacuum_analyze_scale_factor='0.1', autovacuum_analyze_threshold='2000');
CREATE TABLE carillon.run_log (
    id uuid NOT NULL,
    schedule_id uuid NOT NULL,
    version bigint NOT NULL,
    scheduled_at bigint NOT NULL,
    attempt bigint NOT NULL,
    failures bigint NOT NULL,
    started_at bigint,
    ended_at bigint NOT NULL,
    took_us bigint NOT NULL,
    status integer NOT NULL,
    state smallint NOT NULL,
    error text NOT NULL COLLATE pg_catalog."C"
)
PARTITION BY RANGE (id);
CREATE TABLE carillon.run_log_20261123 (
    id uuid NOT NULL,
    schedule_id uuid NOT NULL,
    version bigint NOT NULL,
    scheduled_at bigint NOT NULL,
    attempt bigint NOT NULL,
    failures bigint NOT NULL,
    started_at bigint,
    ended_at bigint NOT NULL,
    took_us bigint NOT NULL,
    status integer NOT NULL,
    state smallint NOT NULL,
    error text NOT NULL COLLATE pg_catalog."C"
);
CREATE TABLE carillon.run_log_20261124 (
    id uuid NOT NULL,
    schedule_id uuid NOT NULL,
    version bigint NOT NULL,
    scheduled_at bigint NOT NULL,
    attempt bigint NOT NULL,
    failures bigint NOT NULL,
    started_at bigint,
    ended_at bigint NOT NULL,
    took_us bigint NOT NULL,
    status integer NOT NULL,
    state smallint NOT NULL,
    error text NOT NULL COLLATE pg_catalog."C"
);
CREATE TABLE carillon.run_log_20261125 (
    id uuid NOT NULL,
    schedule_id uuid NOT NULL,
    version bigint NOT NULL,
    scheduled_at bigint NOT NULL,
    attempt bigint NOT NULL,
    failures bigint NOT NULL,
    started_at bigint,
    ended_at bigint NOT NULL,
    took_us bigint NOT NULL,
    status integer NOT NULL,
    state smallint NOT NULL,
    error text NOT NULL COLLATE pg_catalog."C"
);
CREATE TABLE carillon.run_log_20261126 (
    id uuid NOT NULL,
    schedule_id uuid NOT NULL,
    version bigint NOT NULL,
    scheduled_at bigint NOT NULL,
    attempt bigint NOT NULL,
    failures bigint NOT NULL,
    started_at bigint,
    ended_at bigint NOT NULL,
    took_us bigint NOT NULL,
    status integer NOT NULL,
    state smallint NOT NULL,
    error text NOT NULL COLLATE pg_catalog."C"
);
CREATE TABLE carillon.run_log_20261127 (
    id uuid NOT NULL,
    schedule_id uuid NOT NULL,
    version bigint NOT NULL,
    scheduled_at bigint NOT NULL,
    attempt bigint NOT NULL,
    failures bigint NOT NULL,
    started_at bigint,
    ended_at bigint NOT NULL,
    took_us bigint NOT NULL,
    status integer NOT NULL,
    state smallint NOT NULL,
    error text NOT NULL COLLATE pg_catalog."C"
);
CREATE TABLE carillon.run_log_20261128 (
    id uuid NOT NULL,
    schedule_id uuid NOT NULL,
    version bigint NOT NULL,
    scheduled_at bigint NOT NULL,
    attempt bigint NOT NULL,
    failures bigint NOT NULL,
    started_at bigint,
    ended_at bigint NOT NULL,
    took_us bigint NOT NULL,
    status integer NOT NULL,
    state smallint NOT NULL,
    error text NOT NULL COLLATE pg_catalog."C"
);
CREATE TABLE carillon.run_log_20261129 (
    id uuid NOT NULL,
    schedule_id uuid NOT NULL,
    version bigint NOT NULL,
    scheduled_at bigint NOT NULL,
    attempt bigint NOT NULL,
    failures bigint NOT NULL,
    started_at bigint,
    ended_at bigint NOT NULL,
    took_us bigint NOT NULL,
    status integer NOT NULL,
    state smallint NOT NULL,
    error text NOT NULL COLLATE pg_catalog."C"
);
CREATE TABLE carillon.run_log_20261130 (
    id uuid NOT NULL,
    schedule_id uuid NOT NULL,
    version bigint NOT NULL,
    scheduled_at bigint NOT NULL,
    attempt bigint NOT NULL,
    failures bigint NOT NULL,
    started_at bigint,
    ended_at bigint NOT NULL,
    took_us bigint NOT NULL,
    status integer NOT NULL,
    state smallint NOT NULL,
    error text NOT NULL COLLATE pg_catalog."C"
);
CREATE TABLE carillon.run_log_default (
    id uuid NOT NULL,
    schedule_id uuid NOT NULL,
    version bigint NOT NULL,
    scheduled_at bigint NOT NULL,
    attempt bigint NOT NULL,
    failures bigint NOT NULL,
    started_at bigint,
    ended_at bigint NOT NULL,
    took_us bigint NOT NULL,
    status integer NOT NULL,
    state smallint NOT NULL,
    error text NOT NULL COLLATE pg_catalog."C"
);
CREATE TABLE carillon.schedule (
    id uuid NOT NULL,
    hash uuid NOT NULL,
    version bigint NOT NULL,
    created_at bigint NOT NULL,
    updated_at bigint NOT NULL,
    operation text NOT NULL COLLATE pg_catalog."C",
    application text NOT NULL COLLATE pg_catalog."C",
    client_group text NOT NULL COLLATE pg_catalog."C",
    client_key text NOT NULL COLLATE pg_catalog."C",
    client_type text NOT NULL COLLATE pg_catalog."C",
    name text NOT NULL COLLATE pg_catalog."C",
    definition text NOT NULL COLLATE pg_catalog."C"
);
CREATE TABLE carillon.tally (
    slot bigint NOT NULL,
    state bigint NOT NULL,
    n bigint NOT NULL
)
WITH (fillfactor='50', autovacuum_vacuum_scale_factor='0.02', autovacuum_vacuum_threshold='2000', autovacuum_vacuum_cost_delay='0', autovacuum_analyze_scale_factor='0.1', autovacuum_analyze_threshold='2000');
CREATE TABLE carillon.timer (
    id uuid NOT NULL,
    next_at bigint,
    occurs_at bigint,
    started_at bigint NOT NULL,
    runs bigint NOT NULL,
    missed_coalesced bigint NOT NULL,
    missed_overlap bigint NOT NULL,
    missed_misfire bigint NOT NULL,
    missed_late bigint NOT NULL,
    missed_paused bigint NOT NULL,
    missed_window bigint NOT NULL,
    last_at bigint,
    finished_at bigint,
    state smallint NOT NULL,
    last_state smallint
)
WITH (fillfactor='70', autovacuum_vacuum_scale_factor='0.02', autovacuum_vacuum_threshold='2000', autovacuum_vacuum_cost_delay='0', autovacuum_analyze_scale_factor='0.1', autovacuum_analyze_threshold='2000');
ALTER TABLE ONLY carillon.run_log ATTACH PARTITION carillon.run_log_20261123 FOR VALUES FROM ('01a205b3-d000-0000-0000-000000000000') TO ('01a20ada-2c00-0000-0000-000000000000');
ALTER TABLE ONLY carillon.run_log ATTACH PARTITION carillon.run_log_20261124 FOR VALUES FROM ('01a20ada-2c00-0000-0000-000000000000') TO ('01a21000-8800-0000-0000-000000000000');
ALTER TABLE ONLY carillon.run_log ATTACH PARTITION carillon.run_log_20261125 FOR VALUES FROM ('01a21000-8800-0000-0000-000000000000') TO ('01a21526-e400-0000-0000-000000000000');
ALTER TABLE ONLY carillon.run_log ATTACH PARTITION carillon.run_log_20261126 FOR VALUES FROM ('01a21526-e400-0000-0000-000000000000') TO ('01a21a4d-4000-0000-0000-000000000000');
ALTER TABLE ONLY carillon.run_log ATTACH PARTITION carillon.run_log_20261127 FOR VALUES FROM ('01a21a4d-4000-0000-0000-000000000000') TO ('01a21f73-9c00-0000-0000-000000000000');
ALTER TABLE ONLY carillon.run_log ATTACH PARTITION carillon.run_log_20261128 FOR VALUES FROM ('01a21f73-9c00-0000-0000-000000000000') TO ('01a22499-f800-0000-0000-000000000000');
ALTER TABLE ONLY carillon.run_log ATTACH PARTITION carillon.run_log_20261129 FOR VALUES FROM ('01a22499-f800-0000-0000-000000000000') TO ('01a229c0-5400-0000-0000-000000000000');
ALTER TABLE ONLY carillon.run_log ATTACH PARTITION carillon.run_log_20261130 FOR VALUES FROM ('01a229c0-5400-0000-0000-000000000000') TO ('01a22ee6-b000-0000-0000-000000000000');
ALTER TABLE ONLY carillon.run_log ATTACH PARTITION carillon.run_log_default DEFAULT;
INSERT INTO carillon.instance VALUES ('01a209cd-801e-7c18-9bbc-d2b3b3961341', 'old', 'api,worker,monitor', '0.1.0', 1795460792726991, 1795460792726991, 0, 1795460867726991);
INSERT INTO carillon.lease VALUES ('monitor', '01a209cd-801e-7c18-9bbc-d2b3b3961341', 1795460867726991);
INSERT INTO carillon.meta VALUES ('schema_version', '2');
INSERT INTO carillon.meta VALUES ('tzdata_turn', '2026f');
INSERT INTO carillon.meta VALUES ('tzdata', '2026f');
INSERT INTO carillon.meta VALUES ('tzdata_reached', '');
INSERT INTO carillon.run VALUES ('01a209cd-81d9-7b53-9407-32c68e33c9e0', '01a209cd-81cb-74cc-93b4-cd95ebb12c96', 1, 1795460792779300, 1795460852802237, 1, 1, NULL, 0, 0, 1795460792801789, NULL, 448, 500, 2, false, 'HTTP 500');
INSERT INTO carillon.run VALUES ('01a209cd-81e2-7e41-9930-05d1e581078e', '01a209cd-81d9-7b4f-b4d4-ad8df9223ec1', 1, 1795460792793707, 1795460792793707, 1, 1, NULL, 0, 0, 1795460792805642, 1795460792805938, 296, 500, 5, false, 'HTTP 500');
INSERT INTO carillon.run VALUES ('01a209cd-81ee-7abc-b4e6-24bf9cd5f0e6', '01a209cd-81e5-7f4f-ae8f-81a166f6cf6f', 1, 1795460792805957, 1795460792805957, 1, 0, NULL, 3341034563619387305, 1795460822814670, NULL, NULL, 0, 0, 1, false, '');
INSERT INTO carillon.run_log_20261123 VALUES ('01a209cd-81c7-75e7-ac8e-c340ae90b7f8', '01a209cd-81c4-7051-95f6-99982854595f', 1, 1795460792772020, 1, 0, 1795460792778486, 1795460792779258, 772, 200, 3, '');
INSERT INTO carillon.schedule VALUES ('01a209cd-8196-7fdb-8f7e-dfad6de2b6bf', '30f819fc-82c5-629f-64c4-5b98ff00e8e1', 1, 1795460792726991, 1795460792726991, 'op', 'tests', 'g', 'date', 't', 'test date', '{"name":"test date","client":{"operation":"op","application":"tests","group":"g","key":"date","type":"t"},"type":"date","schedule":"2026-11-23T19:06:40Z","timezone":"Asia/Seoul","task":{"type":"rest","connection":{"host":"http://target.invalid/date","headers":{"Content-Type":"application/json"}},"data":{"key":"date"}}}');
INSERT INTO carillon.schedule VALUES ('01a209cd-81b2-7f3f-8a7c-80325ad1ea10', 'd1dc0efc-dc83-92a9-4e5f-65a8b3fc195e', 1, 1795460792754953, 1795460792754953, 'op', 'tests', 'g', 'delay', 't', 'test delay', '{"name":"test delay","client":{"operation":"op","application":"tests","group":"g","key":"delay","type":"t"},"type":"delay","schedule":"8","timezone":"Asia/Seoul","task":{"type":"rest","connection":{"host":"http://target.invalid/delay","headers":{"Content-Type":"application/json"}},"data":{"key":"delay"}}}');
INSERT INTO carillon.schedule VALUES ('01a209cd-81b7-72ed-9e71-5deec8abc523', 'b2dfad45-db5c-e0e4-e778-d21b71589edf', 1, 1795460792759183, 1795460792759183, 'op', 'tests', 'g', 'cron', 't', 'test cron', '{"name":"test cron","client":{"operation":"op","application":"tests","group":"g","key":"cron","type":"t"},"type":"cron","schedule":"* * * * * *","timezone":"Asia/Seoul","task":{"type":"rest","connection":{"host":"http://target.invalid/cron","headers":{"Content-Type":"application/json"}},"data":{"key":"cron"}},"start_at":"2026-11-23T19:06:40Z","end_at":"2026-11-23T19:06:42Z","misfire":"all","overlap":"allow"}');
INSERT INTO carillon.schedule VALUES ('01a209cd-81b8-76ac-8995-da904c0ff1de', '79179a26-8da2-a78c-addd-3a6c4c7cb676', 2, 1795460792760417, 1795460792766261, 'op', 'tests', 'g', 'paused', 't', 'test paused', '{"name":"test paused","client":{"operation":"op","application":"tests","group":"g","key":"paused","type":"t"},"type":"date","schedule":"2026-11-23T19:06:40Z","timezone":"Asia/Seoul","task":{"type":"rest","connection":{"host":"http://target.invalid/paused","headers":{"Content-Type":"application/json"}},"data":{"key":"paused"}}}');
INSERT INTO carillon.schedule VALUES ('01a209cd-81c4-7051-95f6-99982854595f', '0ae06a37-47dc-4495-b2be-46fcaaab7d43', 1, 1795460792772020, 1795460792772020, 'op', 'tests', 'g', 'finished', 't', 'test finished', '{"name":"test finished","client":{"operation":"op","application":"tests","group":"g","key":"finished","type":"t"},"type":"now","schedule":"","timezone":"Asia/Seoul","task":{"type":"rest","connection":{"host":"http://target.invalid/finished","headers":{"Content-Type":"application/json"}},"data":{"key":"finished"}}}');
INSERT INTO carillon.schedule VALUES ('01a209cd-81cb-74cc-93b4-cd95ebb12c96', 'fa6d2430-eba8-13ed-f97a-234d7d2a1cb5', 1, 1795460792779300, 1795460792779300, 'op', 'tests', 'g', 'retrying', 't', 'test retrying', '{"name":"test retrying","client":{"operation":"op","application":"tests","group":"g","key":"retrying","type":"t"},"type":"now","schedule":"","timezone":"Asia/Seoul","task":{"type":"rest","connection":{"host":"http://target.invalid/retrying","headers":{"Content-Type":"application/json"}},"data":{"key":"retrying"},"failed_policy":"retry","max_retry_count":3,"retry_wait":60,"retry_for":630720000}}');
INSERT INTO carillon.schedule VALUES ('01a209cd-81d9-7b4f-b4d4-ad8df9223ec1', '18b6a37e-883d-ff1c-a21b-baba84851b47', 1, 1795460792793707, 1795460792793707, 'op', 'tests', 'g', 'dead', 't', 'test dead', '{"name":"test dead","client":{"operation":"op","application":"tests","group":"g","key":"dead","type":"t"},"type":"now","schedule":"","timezone":"Asia/Seoul","task":{"type":"rest","connection":{"host":"http://target.invalid/dead","headers":{"Content-Type":"application/json"}},"data":{"key":"dead"},"failed_policy":"retry_dlq","max_retry_count":0}}');
INSERT INTO carillon.schedule VALUES ('01a209cd-81e5-7f4f-ae8f-81a166f6cf6f', 'c891b7a1-5920-c60c-2cf9-f22cd84740b7', 1, 1795460792805957, 1795460792805957, 'op', 'tests', 'g', 'running', 't', 'test running', '{"name":"test running","client":{"operation":"op","application":"tests","group":"g","key":"running","type":"t"},"type":"now","schedule":"","timezone":"Asia/Seoul","task":{"type":"rest","connection":{"host":"http://target.invalid/running","headers":{"Content-Type":"application/json"}},"data":{"key":"running"}}}');
INSERT INTO carillon.tally VALUES (43, 1, 1);
INSERT INTO carillon.tally VALUES (43, 0, 5);
INSERT INTO carillon.tally VALUES (43, 2, 2);
INSERT INTO carillon.timer VALUES ('01a209cd-8196-7fdb-8f7e-dfad6de2b6bf', 1795460800000000, 1795460800000000, 1795460792726991, 0, 0, 0, 0, 0, 0, 0, NULL, NULL, 0, NULL);
INSERT INTO carillon.timer VALUES ('01a209cd-81b2-7f3f-8a7c-80325ad1ea10', 1795460800754953, 1795460800754953, 1795460792754953, 0, 0, 0, 0, 0, 0, 0, NULL, NULL, 0, NULL);
INSERT INTO carillon.timer VALUES ('01a209cd-81b7-72ed-9e71-5deec8abc523', 1795460800000000, 1795460800000000, 1795460792759183, 0, 0, 0, 0, 0, 0, 0, NULL, NULL, 0, NULL);
INSERT INTO carillon.timer VALUES ('01a209cd-81b8-76ac-8995-da904c0ff1de', NULL, 1795460800000000, 1795460792760417, 0, 0, 0, 0, 0, 0, 0, NULL, NULL, 1, NULL);
INSERT INTO carillon.timer VALUES ('01a209cd-81c4-7051-95f6-99982854595f', NULL, NULL, 1795460792772020, 1, 0, 0, 0, 0, 0, 0, 1795460792779258, 1795460792786320, 2, 3);
INSERT INTO carillon.timer VALUES ('01a209cd-81cb-74cc-93b4-cd95ebb12c96', NULL, NULL, 1795460792779300, 1, 0, 0, 0, 0, 0, 0, NULL, NULL, 0, NULL);
INSERT INTO carillon.timer VALUES ('01a209cd-81d9-7b4f-b4d4-ad8df9223ec1', NULL, NULL, 1795460792793707, 1, 0, 0, 0, 0, 0, 0, 1795460792805938, 1795460792810011, 2, 5);
INSERT INTO carillon.timer VALUES ('01a209cd-81e5-7f4f-ae8f-81a166f6cf6f', NULL, NULL, 1795460792805957, 1, 0, 0, 0, 0, 0, 0, NULL, NULL, 0, NULL);
SELECT pg_catalog.setval('carillon.history_outbox_n_seq', 1, false);
ALTER TABLE ONLY carillon.history_outbox
    ADD CONSTRAINT history_outbox_pkey PRIMARY KEY (n);
ALTER TABLE ONLY carillon.instance
    ADD CONSTRAINT instance_pkey PRIMARY KEY (id);
ALTER TABLE ONLY carillon.lease
    ADD CONSTRAINT lease_pkey PRIMARY KEY (name);
ALTER TABLE ONLY carillon.meta
    ADD CONSTRAINT meta_pkey PRIMARY KEY (key);
ALTER TABLE ONLY carillon.run_log
    ADD CONSTRAINT run_log_pkey PRIMARY KEY (id);
ALTER TABLE ONLY carillon.run_log_20261123
    ADD CONSTRAINT run_log_20261123_pkey PRIMARY KEY (id);
ALTER TABLE ONLY carillon.run_log_20261124
    ADD CONSTRAINT run_log_20261124_pkey PRIMARY KEY (id);
ALTER TABLE ONLY carillon.run_log_20261125
    ADD CONSTRAINT run_log_20261125_pkey PRIMARY KEY (id);
ALTER TABLE ONLY carillon.run_log_20261126
    ADD CONSTRAINT run_log_20261126_pkey PRIMARY KEY (id);
ALTER TABLE ONLY carillon.run_log_20261127
    ADD CONSTRAINT run_log_20261127_pkey PRIMARY KEY (id);
ALTER TABLE ONLY carillon.run_log_20261128
    ADD CONSTRAINT run_log_20261128_pkey PRIMARY KEY (id);
ALTER TABLE ONLY carillon.run_log_20261129
    ADD CONSTRAINT run_log_20261129_pkey PRIMARY KEY (id);
ALTER TABLE ONLY carillon.run_log_20261130
    ADD CONSTRAINT run_log_20261130_pkey PRIMARY KEY (id);
ALTER TABLE ONLY carillon.run_log_default
    ADD CONSTRAINT run_log_default_pkey PRIMARY KEY (id);
ALTER TABLE ONLY carillon.run
    ADD CONSTRAINT run_pkey PRIMARY KEY (id);
ALTER TABLE ONLY carillon.schedule
    ADD CONSTRAINT schedule_pkey PRIMARY KEY (id);
ALTER TABLE ONLY carillon.tally
    ADD CONSTRAINT tally_pkey PRIMARY KEY (slot, state);
ALTER TABLE ONLY carillon.timer
    ADD CONSTRAINT timer_pkey PRIMARY KEY (id);
CREATE INDEX run_dead ON carillon.run USING btree (id) WHERE (state = 5);
CREATE INDEX run_dead_schedule ON carillon.run USING btree (schedule_id, id) WHERE (state = 5);
CREATE INDEX run_due ON carillon.run USING btree (due_at) WHERE (state = ANY (ARRAY[0, 2]));
CREATE UNIQUE INDEX run_identity ON carillon.run USING btree (schedule_id, scheduled_at) WHERE (state < 3);
CREATE INDEX run_lease ON carillon.run USING btree (lease_until) WHERE (state = 1);
CREATE INDEX run_log_ok ON ONLY carillon.run_log USING btree (ended_at) WHERE (state = 3);
CREATE INDEX run_log_20261123_ended_at_idx ON carillon.run_log_20261123 USING btree (ended_at) WHERE (state = 3);
CREATE INDEX run_log_other_ended ON ONLY carillon.run_log USING btree (ended_at) WHERE (state <> 3);
CREATE INDEX run_log_20261123_ended_at_idx1 ON carillon.run_log_20261123 USING btree (ended_at) WHERE (state <> 3);
CREATE INDEX run_log_schedule ON ONLY carillon.run_log USING btree (schedule_id, id);
CREATE INDEX run_log_20261123_schedule_id_id_idx ON carillon.run_log_20261123 USING btree (schedule_id, id);
CREATE INDEX run_log_other ON ONLY carillon.run_log USING btree (state, id) WHERE (state <> 3);
CREATE INDEX run_log_20261123_state_id_idx ON carillon.run_log_20261123 USING btree (state, id) WHERE (state <> 3);
CREATE INDEX run_log_20261124_ended_at_idx ON carillon.run_log_20261124 USING btree (ended_at) WHERE (state = 3);
CREATE INDEX run_log_20261124_ended_at_idx1 ON carillon.run_log_20261124 USING btree (ended_at) WHERE (state <> 3);
CREATE INDEX run_log_20261124_schedule_id_id_idx ON carillon.run_log_20261124 USING btree (schedule_id, id);
CREATE INDEX run_log_20261124_state_id_idx ON carillon.run_log_20261124 USING btree (state, id) WHERE (state <> 3);
CREATE INDEX run_log_20261125_ended_at_idx ON carillon.run_log_20261125 USING btree (ended_at) WHERE (state = 3);
CREATE INDEX run_log_20261125_ended_at_idx1 ON carillon.run_log_20261125 USING btree (ended_at) WHERE (state <> 3);
CREATE INDEX run_log_20261125_schedule_id_id_idx ON carillon.run_log_20261125 USING btree (schedule_id, id);
CREATE INDEX run_log_20261125_state_id_idx ON carillon.run_log_20261125 USING btree (state, id) WHERE (state <> 3);
CREATE INDEX run_log_20261126_ended_at_idx ON carillon.run_log_20261126 USING btree (ended_at) WHERE (state = 3);
CREATE INDEX run_log_20261126_ended_at_idx1 ON carillon.run_log_20261126 USING btree (ended_at) WHERE (state <> 3);
CREATE INDEX run_log_20261126_schedule_id_id_idx ON carillon.run_log_20261126 USING btree (schedule_id, id);
CREATE INDEX run_log_20261126_state_id_idx ON carillon.run_log_20261126 USING btree (state, id) WHERE (state <> 3);
CREATE INDEX run_log_20261127_ended_at_idx ON carillon.run_log_20261127 USING btree (ended_at) WHERE (state = 3);
CREATE INDEX run_log_20261127_ended_at_idx1 ON carillon.run_log_20261127 USING btree (ended_at) WHERE (state <> 3);
CREATE INDEX run_log_20261127_schedule_id_id_idx ON carillon.run_log_20261127 USING btree (schedule_id, id);
CREATE INDEX run_log_20261127_state_id_idx ON carillon.run_log_20261127 USING btree (state, id) WHERE (state <> 3);
CREATE INDEX run_log_20261128_ended_at_idx ON carillon.run_log_20261128 USING btree (ended_at) WHERE (state = 3);
CREATE INDEX run_log_20261128_ended_at_idx1 ON carillon.run_log_20261128 USING btree (ended_at) WHERE (state <> 3);
CREATE INDEX run_log_20261128_schedule_id_id_idx ON carillon.run_log_20261128 USING btree (schedule_id, id);
CREATE INDEX run_log_20261128_state_id_idx ON carillon.run_log_20261128 USING btree (state, id) WHERE (state <> 3);
CREATE INDEX run_log_20261129_ended_at_idx ON carillon.run_log_20261129 USING btree (ended_at) WHERE (state = 3);
CREATE INDEX run_log_20261129_ended_at_idx1 ON carillon.run_log_20261129 USING btree (ended_at) WHERE (state <> 3);
CREATE INDEX run_log_20261129_schedule_id_id_idx ON carillon.run_log_20261129 USING btree (schedule_id, id);
CREATE INDEX run_log_20261129_state_id_idx ON carillon.run_log_20261129 USING btree (state, id) WHERE (state <> 3);
CREATE INDEX run_log_20261130_ended_at_idx ON carillon.run_log_20261130 USING btree (ended_at) WHERE (state = 3);
CREATE INDEX run_log_20261130_ended_at_idx1 ON carillon.run_log_20261130 USING btree (ended_at) WHERE (state <> 3);
CREATE INDEX run_log_20261130_schedule_id_id_idx ON carillon.run_log_20261130 USING btree (schedule_id, id);
CREATE INDEX run_log_20261130_state_id_idx ON carillon.run_log_20261130 USING btree (state, id) WHERE (state <> 3);
CREATE INDEX run_log_default_ended_at_idx ON carillon.run_log_default USING btree (ended_at) WHERE (state = 3);
CREATE INDEX run_log_default_ended_at_idx1 ON carillon.run_log_default USING btree (ended_at) WHERE (state <> 3);
CREATE INDEX run_log_default_schedule_id_id_idx ON carillon.run_log_default USING btree (schedule_id, id);
CREATE INDEX run_log_default_state_id_idx ON carillon.run_log_default USING btree (state, id) WHERE (state <> 3);
CREATE INDEX schedule_application ON carillon.schedule USING btree (application, id) WHERE (application <> ''::text);
CREATE INDEX schedule_group ON carillon.schedule USING btree (client_group, id) WHERE (client_group <> ''::text);
CREATE UNIQUE INDEX schedule_identity ON carillon.schedule USING btree (client_key, hash);
CREATE INDEX timer_due ON carillon.timer USING btree (next_at) WHERE ((state = 0) AND (next_at IS NOT NULL));
CREATE INDEX timer_finished ON carillon.timer USING btree (finished_at) WHERE (state = 2);
CREATE INDEX timer_paused ON carillon.timer USING btree (id) WHERE (state = 1);
ALTER INDEX carillon.run_log_ok ATTACH PARTITION carillon.run_log_20261123_ended_at_idx;
ALTER INDEX carillon.run_log_other_ended ATTACH PARTITION carillon.run_log_20261123_ended_at_idx1;
ALTER INDEX carillon.run_log_pkey ATTACH PARTITION carillon.run_log_20261123_pkey;
ALTER INDEX carillon.run_log_schedule ATTACH PARTITION carillon.run_log_20261123_schedule_id_id_idx;
ALTER INDEX carillon.run_log_other ATTACH PARTITION carillon.run_log_20261123_state_id_idx;
ALTER INDEX carillon.run_log_ok ATTACH PARTITION carillon.run_log_20261124_ended_at_idx;
ALTER INDEX carillon.run_log_other_ended ATTACH PARTITION carillon.run_log_20261124_ended_at_idx1;
ALTER INDEX carillon.run_log_pkey ATTACH PARTITION carillon.run_log_20261124_pkey;
ALTER INDEX carillon.run_log_schedule ATTACH PARTITION carillon.run_log_20261124_schedule_id_id_idx;
ALTER INDEX carillon.run_log_other ATTACH PARTITION carillon.run_log_20261124_state_id_idx;
ALTER INDEX carillon.run_log_ok ATTACH PARTITION carillon.run_log_20261125_ended_at_idx;
ALTER INDEX carillon.run_log_other_ended ATTACH PARTITION carillon.run_log_20261125_ended_at_idx1;
ALTER INDEX carillon.run_log_pkey ATTACH PARTITION carillon.run_log_20261125_pkey;
ALTER INDEX carillon.run_log_schedule ATTACH PARTITION carillon.run_log_20261125_schedule_id_id_idx;
ALTER INDEX carillon.run_log_other ATTACH PARTITION carillon.run_log_20261125_state_id_idx;
ALTER INDEX carillon.run_log_ok ATTACH PARTITION carillon.run_log_20261126_ended_at_idx;
ALTER INDEX carillon.run_log_other_ended ATTACH PARTITION carillon.run_log_20261126_ended_at_idx1;
ALTER INDEX carillon.run_log_pkey ATTACH PARTITION carillon.run_log_20261126_pkey;
ALTER INDEX carillon.run_log_schedule ATTACH PARTITION carillon.run_log_20261126_schedule_id_id_idx;
ALTER INDEX carillon.run_log_other ATTACH PARTITION carillon.run_log_20261126_state_id_idx;
ALTER INDEX carillon.run_log_ok ATTACH PARTITION carillon.run_log_20261127_ended_at_idx;
ALTER INDEX carillon.run_log_other_ended ATTACH PARTITION carillon.run_log_20261127_ended_at_idx1;
ALTER INDEX carillon.run_log_pkey ATTACH PARTITION carillon.run_log_20261127_pkey;
ALTER INDEX carillon.run_log_schedule ATTACH PARTITION carillon.run_log_20261127_schedule_id_id_idx;
ALTER INDEX carillon.run_log_other ATTACH PARTITION carillon.run_log_20261127_state_id_idx;
ALTER INDEX carillon.run_log_ok ATTACH PARTITION carillon.run_log_20261128_ended_at_idx;
ALTER INDEX carillon.run_log_other_ended ATTACH PARTITION carillon.run_log_20261128_ended_at_idx1;
ALTER INDEX carillon.run_log_pkey ATTACH PARTITION carillon.run_log_20261128_pkey;
ALTER INDEX carillon.run_log_schedule ATTACH PARTITION carillon.run_log_20261128_schedule_id_id_idx;
ALTER INDEX carillon.run_log_other ATTACH PARTITION carillon.run_log_20261128_state_id_idx;
ALTER INDEX carillon.run_log_ok ATTACH PARTITION carillon.run_log_20261129_ended_at_idx;
ALTER INDEX carillon.run_log_other_ended ATTACH PARTITION carillon.run_log_20261129_ended_at_idx1;
ALTER INDEX carillon.run_log_pkey ATTACH PARTITION carillon.run_log_20261129_pkey;
ALTER INDEX carillon.run_log_schedule ATTACH PARTITION carillon.run_log_20261129_schedule_id_id_idx;
ALTER INDEX carillon.run_log_other ATTACH PARTITION carillon.run_log_20261129_state_id_idx;
ALTER INDEX carillon.run_log_ok ATTACH PARTITION carillon.run_log_20261130_ended_at_idx;
ALTER INDEX carillon.run_log_other_ended ATTACH PARTITION carillon.run_log_20261130_ended_at_idx1;
ALTER INDEX carillon.run_log_pkey ATTACH PARTITION carillon.run_log_20261130_pkey;
ALTER INDEX carillon.run_log_schedule ATTACH PARTITION carillon.run_log_20261130_schedule_id_id_idx;
ALTER INDEX carillon.run_log_other ATTACH PARTITION carillon.run_log_20261130_state_id_idx;
ALTER INDEX carillon.run_log_ok ATTACH PARTITION carillon.run_log_default_ended_at_idx;
ALTER INDEX carillon.run_log_other_ended ATTACH PARTITION carillon.run_log_default_ended_at_idx1;
ALTER INDEX carillon.run_log_pkey ATTACH PARTITION carillon.run_log_default_pkey;
ALTER INDEX carillon.run_log_schedule ATTACH PARTITION carillon.run_log_default_schedule_id_id_idx;
ALTER INDEX carillon.run_log_other ATTACH PARTITION carillon.run_log_default_state_id_idx;
