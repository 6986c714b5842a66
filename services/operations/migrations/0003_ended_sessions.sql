-- A session is a signed cookie, which nobody can take back from who has copied it: until its own end it stands here that
-- somebody has logged out of it. One more goes in, those that have ended go out.
CREATE TABLE ended_session (
    session text PRIMARY KEY,
    ends_at timestamptz NOT NULL
);
