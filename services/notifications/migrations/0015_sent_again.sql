-- A letter that failed is sent again when an operator says so (services/notifications/operator.py), and has another
-- outcome then. The release before does not reopen one, and settles one that is open as ever.
DROP TRIGGER delivery_settled_once ON delivery;
CREATE TRIGGER delivery_settled_once BEFORE UPDATE OF state ON delivery FOR EACH ROW
    WHEN (OLD.state <> 'pending' AND NEW.state <> OLD.state AND NOT (OLD.state = 'failed' AND NEW.state = 'pending'))
    EXECUTE FUNCTION delivery_is_settled();
